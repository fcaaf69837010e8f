"""Which precision to compute a network in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch


def native(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32: AVX512-BF16 or AMX, or CUDA from Ampere on."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device)[0] >= 8
    if device != "cpu":
        return False
    found = (getattr(torch.cpu, name, None) for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported"))
    return any(supported() for supported in found if supported)


def choose(wanted: str, device: str, native: Callable[[str], bool] = native) -> str:
    """`float32` or `bfloat16`, for either of them or `auto`, which takes bfloat16 where the device has it."""
    if wanted == "auto":
        return "bfloat16" if native(device) else "float32"
    return wanted


@contextmanager
def exact(device: str) -> Iterator[None]:
    """On CUDA, convolutions in float32 and not in TensorFloat-32, PyTorch's default; bfloat16 is the fast choice.

    cuDNN's benchmarking stays off: it chooses by the clock, and a run that is resumed would not be the same to the bit.
    """
    if not device.startswith("cuda"):
        yield
        return
    with torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False):
        yield
