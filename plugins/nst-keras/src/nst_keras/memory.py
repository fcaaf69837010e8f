"""Memory that is full, told the way Python does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nst_keras.tensorflow_import import tensorflow as tf


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise `MemoryError` where TensorFlow raises its own kind, on the CPU and on a GPU."""
    try:
        yield
    except tf.errors.ResourceExhaustedError as error:
        raise MemoryError("TensorFlow ran out of memory") from error
