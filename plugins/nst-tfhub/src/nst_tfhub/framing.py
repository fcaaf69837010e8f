"""Which part of a picture a network is shown, and at what size."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from nst.images import resize
from nst.protocols import Pixels

STEP = 4
"""Both of a content's sides must be multiples of this: the network halves them twice and doubles them back."""

LEAST = 8
"""The shortest side the network's own mirrored border of 4 pixels allows, as a multiple of `STEP`."""


def mirrored(start: int, count: int, length: int) -> NDArray[np.intp]:
    """Return indices `(count,)` from `start` on into `length` pixels, which are extended by reflection."""
    place = np.arange(start, start + count) % (2 * length)
    return np.minimum(place, 2 * length - 1 - place)


def extended(pixels: Pixels, height: int, width: int) -> Pixels:
    """`(height, width, 3)`: the picture from its top left corner, mirrored beyond its right and lower edges."""
    rows, columns = mirrored(0, height, pixels.shape[0]), mirrored(0, width, pixels.shape[1])
    return np.ascontiguousarray(pixels[np.ix_(rows, columns)])


def paintable(length: int) -> int:
    """Return the shortest length in pixels, at least this one, that a network of any size accepts."""
    return max(LEAST, -(-length // STEP) * STEP)


def centered(pixels: Pixels, height: int, width: int) -> Pixels:
    """`(height, width, 3)` around the picture's middle, mirrored beyond its edges."""
    rows = mirrored((pixels.shape[0] - height) // 2, height, pixels.shape[0])
    columns = mirrored((pixels.shape[1] - width) // 2, width, pixels.shape[1])
    return np.ascontiguousarray(pixels[np.ix_(rows, columns)])


def style_view(style: Pixels, size: int, scale: float) -> Pixels:
    """Return the square view of a style image for the network, `(size, size, 3)`.

    At `scale` 1 the largest square in the style's middle; at 2 the middle half of that, so that strokes are twice
    as large; at 0.5 twice as much, mirrored where the style ends. Always `smoothed`.
    """
    height, width = style.shape[:2]
    seen = max(1.0, min(height, width) / scale)  # pixels of the style along the view's side
    part = centered(style, min(height, math.ceil(seen)), min(width, math.ceil(seen)))
    target = max(1, round(part.shape[0] * size / seen)), max(1, round(part.shape[1] * size / seen))
    return smoothed(centered(resize(part, target), size, size))


def smoothed(pixels: Pixels) -> Pixels:
    """Return the mean of each pixel's 3×3 neighbors, as Magenta's notebook smooths styles.

    Without it the predictor reads pixel noise as a texture of the style and paints a fine grid over flat areas.
    """
    height, width = pixels.shape[:2]
    edged = np.pad(pixels, ((1, 1), (1, 1), (0, 0)), mode="edge")
    shifts = (edged[y : y + height, x : x + width] for y in range(3) for x in range(3))
    return sum(shifts, np.zeros_like(pixels)) / np.float32(9)
