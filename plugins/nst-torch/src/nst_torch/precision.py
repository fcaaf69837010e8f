"""Which precision to compute a network in, and that float32 is float32."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from nst import devices
from nst_torch.torch_import import torch


def choose(kind: str, device: str) -> str:
    """`float32` or `bfloat16`, for either of them or `auto`, which takes bfloat16 where the device has it."""
    return devices.precision(kind, native(device))


def native(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32."""
    if device.startswith("cuda"):
        return torch.cuda.get_device_capability(device)[0] >= devices.BFLOAT16_CUDA
    return device == "cpu" and devices.cpu_has_bfloat16()


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
