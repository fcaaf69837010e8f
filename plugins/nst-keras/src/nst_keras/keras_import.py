"""Imports Keras on TensorFlow, and keeps it from printing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import nst_keras.tensorflow_import  # noqa: F401  # first: Keras would import it with all its messages

import keras  # isort: skip


@contextmanager
def quiet() -> Iterator[None]:
    """No progress bars on standard output while the block runs."""
    talks = keras.config.is_interactive_logging_enabled()
    keras.config.disable_interactive_logging()
    try:
        yield
    finally:
        if talks:
            keras.config.enable_interactive_logging()


__all__ = ["keras", "quiet"]
