"""Turn a framework's own out-of-memory errors into `MemoryError`, and free what a failed evaluation has left."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any


def memory_errors(backend: Any) -> AbstractContextManager[None]:
    """Return a context in which the backend raises `MemoryError` when its framework runs out of memory.

    A backend without a method `memory_errors` raises what its framework raises.
    """
    context: AbstractContextManager[None] = getattr(backend, "memory_errors", nullcontext)()
    return context


def empty_cache(backend: Any) -> None:
    """Free the memory that a failed evaluation has left behind, if the backend has a method `empty_cache`."""
    if hasattr(backend, "empty_cache"):
        backend.empty_cache()
