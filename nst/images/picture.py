"""Represent a picture in memory, and convert arrays of samples to one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.errors import UserError
from nst.protocols import Pixels

Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]

_TOLERANCE = 1e-3  # how far floats may stray from 0..1 before they must mean something else


@dataclass(frozen=True)
class Picture:
    """A picture that was read: its pixels, and the properties that the result is written with.

    `alpha` is `(H, W)` float32, 0..1, or None for an opaque picture. `source` is the path as given, or "" for a picture
    in memory. `notes` are messages for the user, such as "first of 12 frames". `depth` is 8 or 16 bits per channel.
    `profile` is the ICC profile of the file, or None for sRGB. `exif` is the part of its EXIF block that is kept
    (`nst.images.metadata`). `dpi` are its dots per inch, across and down.
    """

    pixels: Pixels
    alpha: Floats | None
    source: str
    notes: tuple[str, ...] = ()
    depth: int = 8
    profile: bytes | None = None
    exif: bytes = b""
    dpi: tuple[float, float] | None = None


def from_samples(samples: NDArray[Any], name: str) -> Picture:
    """Check samples `(H, W)` or `(H, W, 1 | 3 | 4)` and convert them to float32 in 0..1; errors say `name`.

    Raises `UserError` for other shapes, types other than uint8, uint16 and floats, and floats outside 0..1.
    """
    planes = samples[..., None] if samples.ndim == 2 else samples
    if planes.ndim != 3 or planes.shape[2] not in (1, 3, 4) or planes.size == 0:
        hint = "give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), each side at least 1"
        raise UserError(f"{name} has shape {samples.shape}", hint)
    unit = _unit(planes, name)
    colors = unit[..., :3] if unit.shape[2] > 1 else np.repeat(unit, 3, axis=-1)
    alpha = unit[..., 3].copy() if unit.shape[2] == 4 and unit[..., 3].min() < 1 else None
    return Picture(np.ascontiguousarray(colors), alpha, "", depth=8 if samples.dtype == np.uint8 else 16)


def _unit(samples: NDArray[Any], name: str) -> Floats:
    """Copy uint8, uint16 or float samples and scale them to 0..1."""
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
    if samples.dtype.kind != "f":
        raise UserError(f"{name} is of type {samples.dtype}", "give uint8, uint16, or floats in 0..1")
    low, high = samples.min(), samples.max()
    if not np.isfinite((low, high)).all():
        raise UserError(f"{name} has values that are NaN or infinite", "give floats in 0..1")
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        hint = "scale it to 0..1: what is 0..255, divide by 255"
        raise UserError(f"{name} has values from {low:g} to {high:g}, allowed are 0..1", hint)
    return samples.astype(np.float32).clip(0, 1)
