"""Which device to compute on, and whether a better one stands idle."""

from __future__ import annotations

from typing import Any

from nst import devices
from nst_jax.jax_import import jax

CURE = "pip install 'jax[cuda12]'"


def choose(wanted: str) -> tuple[str, tuple[str, ...]]:
    """Return the device for `auto`, `cpu` or `cuda`, and notes about an idle GPU. Raises `UserError`."""
    return devices.choose(wanted, available(), "JAX", CURE)


def available() -> list[str]:
    """Return the devices that this JAX can use, the fastest first."""
    return [*(["cuda"] if _has_cuda() else []), "cpu"]


def place(device: str) -> Any:
    """Return JAX's own object for a device."""
    return jax.devices(device)[0]


def _has_cuda() -> bool:
    try:
        return bool(jax.devices("cuda"))
    except RuntimeError:  # this JAX was built without it, or finds no driver
        return False
