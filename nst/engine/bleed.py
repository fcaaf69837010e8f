"""The canvas of an image at one size: the image with a mirrored rim, which is optimized too and cut off at the end.

The padding of a network, zeros or mirrored pixels, leaves a faint frame at the border of its input. On a canvas the
frame falls on the rim, and the border of the image lies inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.images import resize


@dataclass(frozen=True)
class BleedCanvas:
    """A canvas: (height, width) of the image in `picture`, and a rim of `bleed` pixels on each side."""

    picture: tuple[int, int]
    bleed: int = 0

    @classmethod
    def around(cls, picture: tuple[int, int], bleed: int) -> BleedCanvas:
        """Return a canvas with a rim of `bleed` pixels, at most a sixteenth of the long side."""
        return cls(picture, min(bleed, max(picture) // 16))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the canvas."""
        height, width = self.picture
        return height + 2 * self.bleed, width + 2 * self.bleed

    def spread(self, image: Any) -> Any:
        """Resize an image `(H, W)` or `(H, W, C)` to the size without the rim, and mirror it into the rim."""
        return self.mirrored(resize(image, self.picture))

    def mirrored(self, array: Any) -> Any:
        """Return an array of the size without the rim, with a mirrored rim around it."""
        if not self.bleed:
            return array
        rim = [(self.bleed, self.bleed)] * 2 + [(0, 0)] * (array.ndim - 2)
        return np.pad(array, rim, mode="reflect")

    def trim(self, array: Any) -> Any:
        """Return the array without the rim."""
        if not self.bleed:
            return array
        height, width = self.picture
        return np.ascontiguousarray(array[self.bleed : self.bleed + height, self.bleed : self.bleed + width])
