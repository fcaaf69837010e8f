"""Replace the hidden colors of transparent parts.

A file may contain arbitrary colors where it is transparent. So the visible colors are spread into the hidden parts, and
statistics are computed from the visible pixels only.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from nst.images.picture import Floats, Picture
from nst.images.size import stretch
from nst.protocols import Pixels

SEEN = 0.5
"""The opacity from which a pixel counts in the statistics of colors."""


def filled(picture: Picture) -> Picture:
    """Return the picture with the visible colors, smoothed, spread into its transparent parts."""
    return picture if picture.alpha is None else replace(picture, pixels=fill(picture.pixels, picture.alpha))


def fill(pixels: Pixels, alpha: Floats) -> Pixels:
    """Mix pixels `(H, W, 3)` with their visible surroundings where `alpha` `(H, W)`, 0..1, is below 1.

    The surroundings come from the finest resolution at which visible pixels exist: "push-pull", as in Gortler,
    Grzeszczuk, Szeliski and Cohen ("The Lumigraph", 1996), section 3.4. Without a visible pixel the surroundings are
    gray.
    """
    weights = alpha[..., None]
    if min(alpha.shape) == 1:
        total = weights.sum()
        color = (pixels * weights).sum(axis=(0, 1)) / total if total else np.float32(0.5)
        mixed = np.full_like(pixels, color)
    else:
        half = _halved(weights)
        colors: Pixels = (_halved(pixels * weights) / np.maximum(half, 1e-12)).astype(np.float32)
        coarse = fill(colors, np.minimum(1, 4 * half[..., 0]))
        mixed = stretch(coarse, alpha.shape)
    mixed *= 1 - weights  # in place: a photograph's copies take gigabytes
    mixed += weights * pixels
    return mixed


def _halved(planes: Floats) -> Floats:
    """Return means over squares of two pixels; an odd last row or column is repeated."""
    height, width = planes.shape[:2]
    odd = height % 2 or width % 2
    even = np.pad(planes, ((0, height % 2), (0, width % 2), (0, 0)), mode="edge") if odd else planes
    halved: Floats = even.reshape(-(-height // 2), 2, -(-width // 2), 2, -1).mean(axis=(1, 3))
    return halved


def visible(picture: Picture) -> Pixels:
    """Return the visible pixels as `(N, 1, 3)`, or the picture `(H, W, 3)` itself if it is opaque."""
    return picture.pixels if picture.alpha is None else picture.pixels[_seen(picture.alpha)][:, None]


def recolored(picture: Picture, colors: Pixels) -> Pixels:
    """Return the picture with other colors for the pixels that `visible` returns."""
    if picture.alpha is None:
        return colors
    pixels, seen = picture.pixels.copy(), _seen(picture.alpha)
    pixels[seen] = colors[:, 0]
    return fill(pixels, np.where(seen, picture.alpha, 0).astype(np.float32))


def repeated(pixels: Pixels, alpha: Floats) -> Pixels:
    """Fill the hidden pixels with repeated visible ones, so that the statistics are those of the visible pixels."""
    seen = _seen(alpha)
    copy = pixels.copy()
    copy[~seen] = np.resize(pixels[seen], (int((~seen).sum()), 3))
    return copy


def _seen(alpha: Floats) -> np.ndarray[tuple[int, ...], np.dtype[np.bool_]]:
    """Return the mask of visible pixels: opaque enough, or else the most opaque ones."""
    return alpha >= min(SEEN, float(alpha.max()))
