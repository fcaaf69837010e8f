"""Memory that is full, told the way Python does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nst_jax.jax_import import jax

TOLD = "RESOURCE_EXHAUSTED"


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise `MemoryError` where JAX raises its own kind, on the CPU and on a GPU."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if TOLD in str(error):
            raise MemoryError(str(error).partition("\n")[0]) from error
        raise
