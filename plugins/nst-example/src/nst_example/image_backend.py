"""The content in the styles' colors: each channel is moved and scaled to their mean and standard deviation.

Reinhard et al., "Color transfer between images" (2001), in RGB for brevity. Value range: 0..1. Weights: none.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from nst.protocols import Pixels

FAINTEST = 1 / 255
"""The least spread to divide by: one 8-bit level, so that a flat picture stays flat."""


class Recolor:
    """A `nst.protocols.ImageBackend`; `strength` goes from the content's own colors (0) to the styles' (1)."""

    device = "cpu"
    precision = "float32"
    notes: Sequence[str] = ()

    def __init__(self, weights: None, *, device: str = "auto", strength: float = 1.0) -> None:
        self._strength = strength

    def stylize(
        self, content: Pixels, styles: Sequence[Pixels], *, blend: Sequence[float], style_scale: float
    ) -> Pixels:
        """Return the recolored content; `blend` mixes the styles' statistics, and colors have no `style_scale`."""
        mean, spread = _statistics(content)
        targets = [share * np.array(_statistics(style)) for style, share in zip(styles, blend, strict=True)]
        new_mean, new_spread = np.sum(targets, axis=0)
        recolored = (content - mean) * (new_spread / np.maximum(spread, FAINTEST)) + new_mean
        mixed = (1 - self._strength) * content + self._strength * recolored
        return np.ascontiguousarray(mixed.clip(0, 1), np.float32)

    def peak_memory(self) -> int | None:
        """None: the process's own."""
        return None


def _statistics(picture: Pixels) -> tuple[Pixels, Pixels]:
    """Mean and standard deviation of each channel, `(3,)`."""
    return picture.mean(axis=(0, 1)), picture.std(axis=(0, 1))
