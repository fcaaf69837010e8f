"""Which device to compute on, and whether a better one stands idle."""

from __future__ import annotations

from nst import devices
from nst_torch.torch_import import torch

CURE = "install a CUDA build of PyTorch"


def choose(name: str) -> tuple[str, tuple[str, ...]]:
    """Return the device for `auto`, `cpu`, `cuda` or `mps`, and notes about an idle GPU. Raises `UserError`."""
    return devices.choose(name, available(), "PyTorch", CURE)


def available() -> list[str]:
    """Return the devices that this PyTorch can use, the fastest first."""
    cuda = ["cuda"] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]
