"""Imports TensorFlow, and nothing beside it: neither another framework nor its start-up messages.

TensorFlow's C++ writes to the process's stderr while it is imported, about processor features, oneDNN and missing
CUDA drivers, some of it whatever `TF_CPP_MIN_LOG_LEVEL` says. So what arrives there during the import is kept, and
shown if the import fails. Who sets `TF_CPP_MIN_LOG_LEVEL` sees everything TensorFlow says at that level.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from nst_keras.keras_settings import require_tensorflow

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
FATAL_ONLY = "3"
STDERR = 2


@contextmanager
def _hushed() -> Iterator[None]:
    """Keep what is written to stderr in the block, from C++ too; show it where the block fails."""
    with tempfile.TemporaryFile() as messages:
        stderr = os.dup(STDERR)
        os.dup2(messages.fileno(), STDERR)
        try:
            yield
        except BaseException:
            messages.seek(0)
            os.write(stderr, messages.read())
            raise
        finally:
            os.dup2(stderr, STDERR)
            os.close(stderr)


require_tensorflow()
if LEVEL in os.environ or "tensorflow" in sys.modules:
    import tensorflow
else:
    os.environ[LEVEL] = FATAL_ONLY
    with _hushed():
        import tensorflow

__all__ = ["tensorflow"]
