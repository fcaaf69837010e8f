"""Choosing a device and a precision by name, alike in every backend, and telling of a GPU that stands idle."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nst.errors import UserError

DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl")
CPU_FILE = "/proc/cpuinfo"
BFLOAT16_CPU = {"avx512_bf16", "amx_bf16"}
BFLOAT16_CUDA = 8  # compute capability: Ampere


def choose(wanted: str, here: Sequence[str], framework: str, cure: str) -> tuple[str, tuple[str, ...]]:
    """Return the device for `auto` or a name, and notes about an idle GPU. Raises `UserError` if it is not `here`.

    `here` are the devices the `framework` can use, the fastest first; `cure` is how to make it use a GPU it cannot.
    """
    device = here[0] if wanted == "auto" else wanted
    if device not in here:
        hint = f"this {framework} can use: {', '.join(here)}"
        if wanted == "cuda" and gpu_present():
            hint = f"a GPU is present: {cure}, or use --device cpu"
        raise UserError(f"device '{wanted}' is not available here", hint)
    return device, idle(device, here, framework, cure)


def idle(device: str, here: Sequence[str], framework: str, cure: str) -> tuple[str, ...]:
    """Return notes about an idle GPU when computing on `device`, one of the devices `here`."""
    if device != "cpu":
        return ()
    if here[0] != "cpu":
        return (f"a GPU is present and not used: try --device {here[0]}",)
    if gpu_present():
        return (f"a GPU is present, but this {framework} cannot use it: {cure}",)
    return ()


def gpu_present() -> bool:
    """Whether the NVIDIA driver runs here, whatever a framework was built for."""
    return any(map(os.path.exists, DRIVER_FILES))


def precision(wanted: str, native: bool) -> str:
    """`float32` or `bfloat16`, for either of them or `auto`, which takes bfloat16 where the device has it `native`."""
    if wanted == "auto":
        return "bfloat16" if native else "float32"
    return wanted


def cpu_has_bfloat16() -> bool:
    """Whether the processor multiplies bfloat16 itself, as far as the system tells."""
    try:
        with open(CPU_FILE, encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return bool(BFLOAT16_CPU & set(flags.split()))
