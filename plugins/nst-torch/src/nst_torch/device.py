"""Which device to compute on, and whether a better one stands idle."""

from __future__ import annotations

import os

import torch

from nst.errors import UserError

DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl")


def choose(wanted: str) -> tuple[str, tuple[str, ...]]:
    """The device for `auto`, `cpu`, `cuda` or `mps`, and notes about an idle GPU. Raises `UserError`."""
    here = available()
    device = here[0] if wanted == "auto" else wanted
    if device not in here:
        raise UserError(f"device '{wanted}' is not available here", _remedy(wanted, here))
    return device, idle(device, here)


def available() -> list[str]:
    """The devices this PyTorch can use, the fastest first."""
    cuda = ["cuda"] if torch.cuda.is_available() else []
    mps = ["mps"] if torch.backends.mps.is_available() else []
    return [*cuda, *mps, "cpu"]


def _remedy(wanted: str, here: list[str]) -> str:
    if wanted == "cuda" and gpu_present():
        return "a GPU is present: install a CUDA build of PyTorch, or use --device cpu"
    return f"this PyTorch can use: {', '.join(here)}"


def idle(device: str, here: list[str]) -> tuple[str, ...]:
    """What to say about a GPU when computing on `device`, one of the devices `here`."""
    if device != "cpu":
        return ()
    if here[0] != "cpu":
        return (f"a GPU is present and not used: try --device {here[0]}",)
    if gpu_present():
        return ("a GPU is present, but this PyTorch is built without CUDA: install a CUDA build to use it",)
    return ()


def gpu_present() -> bool:
    """Whether the NVIDIA driver runs here, whatever PyTorch was built for."""
    return any(map(os.path.exists, DRIVER_FILES))
