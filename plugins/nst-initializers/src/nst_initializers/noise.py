"""Noise, alone or over the content."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt
from typing import Literal

import numpy as np

from nst.protocols import Pixels
from nst_initializers.colors import mean_and_covariance


def noise(
    content: Pixels,
    styles: Sequence[Pixels],
    rng: np.random.Generator,
    *,
    ratio: float = 1.0,
    distribution: Literal["uniform", "normal"] = "uniform",
    mean: float = 0.5,
    std: float = 0.2,
    match: Literal["none", "content", "style"] = "none",
) -> Pixels:
    """Mix the content linearly with independent noise, whose share is `ratio`; clipped to 0..1.

    Before clipping, the noise has `mean` and `std`, or each channel has those of the content or the styles (`match`).
    """
    centers, spreads = np.full(3, mean), np.full(3, std)
    if match != "none":
        centers, covariance = mean_and_covariance([content] if match == "content" else styles)
        spreads = np.sqrt(np.diag(covariance))
    drawn = _draw(content.shape, rng, distribution) * spreads.astype(np.float32) + centers.astype(np.float32)
    return ((1 - ratio) * content + ratio * drawn).clip(0, 1)


def _draw(shape: tuple[int, ...], rng: np.random.Generator, distribution: str) -> Pixels:
    """Float32 of mean 0 and standard deviation 1."""
    if distribution == "normal":
        return rng.standard_normal(shape, dtype=np.float32)
    return sqrt(12) * (rng.random(shape, dtype=np.float32) - 0.5)
