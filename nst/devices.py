"""Choose a device and a precision by name, in the same way for every backend, and report an idle GPU."""

from __future__ import annotations

import os
from collections.abc import Sequence

from nst.errors import UserError

DRIVER_FILES = ("/proc/driver/nvidia/version", "/dev/nvidiactl")
CPU_FILE = "/proc/cpuinfo"
BFLOAT16_CPU = {"avx512_bf16", "amx_bf16"}
BFLOAT16_CUDA = 8  # compute capability: Ampere


def choose(name: str, available: Sequence[str], framework: str, cure: str) -> tuple[str, tuple[str, ...]]:
    """Return the device for `auto` or a name, and notes about an idle GPU. Raises `UserError` if it is not `available`.

    `available` are the devices that the `framework` can use, the fastest first. `cure` says how to make it use an idle
    GPU.
    """
    device = available[0] if name == "auto" else name
    if device not in available:
        hint = f"this {framework} can use: {', '.join(available)}"
        if name == "cuda" and gpu_present():
            hint = f"a GPU is present: {cure}, or use --device cpu"
        raise UserError(f"device '{name}' is not available here", hint)
    return device, idle(device, available, framework, cure)


def idle(device: str, available: Sequence[str], framework: str, cure: str) -> tuple[str, ...]:
    """Return notes about an idle GPU when computing on `device`, one of the devices `available`."""
    if device != "cpu":
        return ()
    if available[0] != "cpu":
        return (f"a GPU is present and not used: try --device {available[0]}",)
    if gpu_present():
        return (f"a GPU is present, but this {framework} cannot use it: {cure}",)
    return ()


def gpu_present() -> bool:
    """Return whether an NVIDIA driver is loaded on this machine."""
    return any(map(os.path.exists, DRIVER_FILES))


def precision(kind: str, native: bool) -> str:
    """Return `float32` or `bfloat16`; `auto` is bfloat16 where the device computes it natively (`native`)."""
    if kind == "auto":
        return "bfloat16" if native else "float32"
    return kind


def cpu_has_bfloat16() -> bool:
    """Return whether the processor has bfloat16 instructions; False if the system does not report them."""
    try:
        with open(CPU_FILE, encoding="utf-8") as file:
            flags = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return False
    return bool(BFLOAT16_CPU & set(flags.split()))
