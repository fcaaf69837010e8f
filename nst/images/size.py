"""Compute the size of a picture, and resize it."""

from __future__ import annotations

import numpy as np
from PIL import Image

from nst.images.picture import Floats


def resize(pixels: Floats, size: tuple[int, int]) -> Floats:
    """Resize `pixels` `(H, W, 3)` or a mask `(H, W)`, 0..1, to `size` = (height, width).

    Lanczos, antialiased on shrinking, clipped to 0..1. An input of that size is returned itself.
    """
    if pixels.shape[:2] == size:
        return pixels
    if pixels.ndim == 3:
        return np.stack([resize(channel, size) for channel in np.moveaxis(pixels, -1, 0)], axis=-1)
    # Mode F, one channel at a time: all other modes round to 8 bits.
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(resized).clip(0, 1)


def fit(height: int, width: int, long_side: int) -> tuple[int, int]:
    """Return (height, width) in the same proportion, the longer side `long_side` pixels, the shorter at least 1."""
    longest = max(height, width)
    return max(1, round(height * long_side / longest)), max(1, round(width * long_side / longest))


def stretch(array: Floats, size: tuple[int, int]) -> Floats:
    """Resize `(H, W, C)` of any values to `size` = (height, width), in its own type; bilinear, without overshoot."""
    channels = [Image.fromarray(np.ascontiguousarray(channel, np.float32)) for channel in np.moveaxis(array, -1, 0)]
    sized = [np.asarray(channel.resize(size[::-1], Image.Resampling.BILINEAR)) for channel in channels]
    return np.stack(sized, axis=-1, dtype=array.dtype)
