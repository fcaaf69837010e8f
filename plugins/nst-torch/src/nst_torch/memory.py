"""Memory on the CPU: kept between evaluations, and when full, told the way Python does."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from nst_torch.torch_import import torch

M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3  # of glibc's malloc.h
TOLD = ("can't allocate memory", "DefaultCPUAllocator", "could not allocate", "could not create a primitive")
LARGEST = 2**30  # bytes: what is larger goes back to the system at once


def keep() -> None:
    """Have glibc keep what PyTorch frees, in place of giving every large tensor back to the system.

    An evaluation frees what the next one needs again, and the system hands out new memory page by page: 90,000 page
    faults at 512×512 with the compact network, a third of its time. This holds for the whole process, which then keeps
    the most memory it has needed. Elsewhere than on glibc nothing happens.
    """
    if sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "mallopt"):
        libc.mallopt(M_MMAP_THRESHOLD, LARGEST)
        libc.mallopt(M_TRIM_THRESHOLD, -1)


@contextmanager
def memory_errors() -> Iterator[None]:
    """Raise `MemoryError` where PyTorch raises its own kind: RuntimeError on the CPU, OutOfMemoryError on a GPU.

    oneDNN, which convolves on the CPU, cannot make its primitives when there is no memory for them.
    """
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in TOLD):
            raise MemoryError(str(error).partition("\n")[0]) from error
        raise


def empty_cache(device: str) -> None:
    """Give back what an evaluation that ran out of memory has left behind.

    What a way back had yet to visit stays in autograd's queue until the next one, and what glibc or CUDA's allocator
    keeps is of use to nobody else: oneDNN needs address space of its own.
    """
    leaf = torch.zeros(1, requires_grad=True)
    torch.autograd.grad((2 * leaf).sum(), leaf)
    if device.startswith("cuda"):
        torch.cuda.empty_cache()
    elif sys.platform == "linux" and hasattr(libc := ctypes.CDLL(None), "malloc_trim"):
        libc.malloc_trim(0)
