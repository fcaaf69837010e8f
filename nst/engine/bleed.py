"""The picture at one size, with a rim around it that is painted too and cut off again.

What a network makes of its own border, be it zeros or mirrors that lie beyond, is painted as a faint frame. On a
canvas it falls on the rim, which shows the picture mirrored: the picture's own border is inside, like any other part.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nst.images import resize


@dataclass(frozen=True)
class BleedCanvas:
    """A picture of (height, width) `picture`, and `bleed` pixels more on each side."""

    picture: tuple[int, int]
    bleed: int = 0

    @classmethod
    def around(cls, picture: tuple[int, int], bleed: int) -> BleedCanvas:
        """With so many pixels more, or a sixteenth of the picture's long side: a small one is not to be mostly rim."""
        return cls(picture, min(bleed, max(picture) // 16))

    @property
    def shape(self) -> tuple[int, int]:
        """(height, width) of the whole."""
        height, width = self.picture
        return height + 2 * self.bleed, width + 2 * self.bleed

    def spread(self, image: Any) -> Any:
        """Resize an image `(H, W)` or `(H, W, C)` to the picture's size and mirror it into the rim."""
        return self.mirrored(resize(image, self.picture))

    def mirrored(self, array: Any) -> Any:
        """Return an array of the picture's size with a mirrored rim around it."""
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
