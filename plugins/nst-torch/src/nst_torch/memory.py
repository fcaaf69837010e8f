"""Says a full memory the way Python does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

FULL = ("can't allocate memory", "could not create a primitive", "bad allocation", "std::bad_alloc")
"""What PyTorch says on the CPU when memory is full, and oneDNN and C++ beneath it."""


@contextmanager
def told() -> Iterator[None]:
    """Raise `MemoryError` where PyTorch raises its own kind: RuntimeError on the CPU, OutOfMemoryError on a GPU."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in FULL):
            _let_go()
            raise MemoryError(str(error).partition("\n")[0]) from error
        raise


def _let_go() -> None:
    """Take a short way back: what the one that failed had yet to visit stays in autograd's queue until the next."""
    leaf = torch.zeros(1, requires_grad=True)
    torch.autograd.grad((2 * leaf).sum(), leaf)
