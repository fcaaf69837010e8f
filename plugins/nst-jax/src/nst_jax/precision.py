"""Which precision to compute a network in."""

from __future__ import annotations

from nst import devices
from nst_jax.device import place


def choose(wanted: str, device: str) -> str:
    """`float32` or `bfloat16`, for either of them or `auto`, which takes bfloat16 where the device has it."""
    return devices.precision(wanted, native(device))


def native(device: str) -> bool:
    """Whether the device multiplies bfloat16 faster than float32.

    No CPU does with JAX: XLA turns the convolution's operands into float32 and back (README).
    """
    return device == "cuda" and float(place(device).compute_capability) >= devices.BFLOAT16_CUDA
