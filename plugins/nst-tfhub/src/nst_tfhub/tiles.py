"""A picture too large for a network, painted in overlapping tiles that leave no seams.

Each tile counts most in its middle and fades towards its edges; at every pixel the shares sum to 1. A network
normalizes each tile by the tile's own statistics, which would show as patches of another tone: `toned` gives each
tile the tone that its place has in one overview of the whole picture.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from nst.protocols import Pixels

OVERLAP = 4
"""Neighboring tiles share at least a fourth of their side. Gradients across a border are no larger than elsewhere from
a thirtieth on, but up to an eighth the eye sees where one texture ends in a flat sky: see the README."""

Strip = tuple[slice, NDArray[np.float32]]
"""Where a tile lies along one side of the picture, and the share it has in each pixel there."""


def starts(length: int, side: int) -> list[int]:
    """Where tiles of `side` pixels begin, evenly spaced, to cover `length` pixels, at least `side`."""
    overlap = side // OVERLAP
    count = max(1, -(-(length - overlap) // (side - overlap)))
    return [round(i * (length - side) / max(1, count - 1)) for i in range(count)]


def shortest(length: int, side: int) -> int:
    """Return the shortest tile side that keeps the tile count of `side`, for a network of any size."""
    count = len(starts(length, min(length, side)))
    return min(side, -(-length * OVERLAP // (count * (OVERLAP - 1) + 1)))


def strips(length: int, side: int) -> list[Strip]:
    """Return the tiles along `length` pixels; their weights sum to 1 at every pixel and fade at inner edges."""
    hill = np.sin(np.pi * (np.arange(side) + 0.5) / side) ** 2
    places = [slice(start, start + side) for start in starts(length, side)]
    total = np.zeros(length)
    for place in places:
        total[place] += hill
    return [(place, (hill / total[place]).astype(np.float32)) for place in places]


def assembled(size: tuple[int, int], tile: tuple[int, int], paint: Callable[[slice, slice], Pixels]) -> Pixels:
    """Assemble an image of `size` (height, width) from `paint(rows, columns)` of each tile."""
    picture = np.zeros((*size, 3), np.float32)
    for rows, down in strips(size[0], tile[0]):
        for columns, across in strips(size[1], tile[1]):
            picture[rows, columns] += down[:, None, None] * across[:, None] * paint(rows, columns)
    return picture


def toned(tile: Pixels, like: Pixels) -> Pixels:
    """Return the tile with the mean and the contrast, per channel, of `like`; contrast changes at most twofold."""
    (mean, spread), (target, contrast) = _tone(tile), _tone(like)
    toned: Pixels = (tile - mean) * ((contrast + 1e-3) / (spread + 1e-3)).clip(0.5, 2) + target
    return toned


def _tone(pixels: Pixels) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Return the mean and the standard deviation of each channel; a float32 sum would be off in the third digit."""
    mean, spread = pixels.mean((0, 1), dtype=np.float64), pixels.std((0, 1), dtype=np.float64)
    return mean.astype(np.float32), spread.astype(np.float32)
