"""Says a full memory the way Python does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def told() -> Iterator[None]:
    """Raise `MemoryError` where PyTorch raises its own kind: RuntimeError on the CPU, OutOfMemoryError on a GPU."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or "can't allocate memory" in str(error):
            raise MemoryError(str(error).partition("\n")[0]) from error
        raise
