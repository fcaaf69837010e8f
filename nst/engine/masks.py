"""The weight of each position of a layer: equal everywhere, or from a mask, for the whole image and for tiles.

A mask `(H, W)`, 0..1, has the size of the image. A position of a layer covers a square of pixels; its weight is the
mean of the mask there, so that soft edges stay soft and tiles agree with the whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nst.engine.tiling import Tile
from nst.protocols import FeatureBackend, Tensor
from nst.vgg.architecture import stride

Mask = NDArray[np.float32]


@dataclass(frozen=True)
class Area:
    """The weights of a layer's positions, tile by tile.

    `weights` are `(H_l, W_l)` over the core of each tile, or None for equal weights. `shares` are the shares of the
    tiles in the total weight, summing to 1. `part` is the mean weight of all positions: 0 if the mask has none of them.
    """

    weights: Sequence[Tensor | None]
    shares: Sequence[float]
    part: float = 1.0


def everywhere(tiles: Sequence[Tile], layer: str) -> Area:
    """Return equal weights for all positions of a layer."""
    positions = [tile.positions(stride(layer)) for tile in tiles]
    return Area([None] * len(tiles), [count / sum(positions) for count in positions])


def inside(backend: FeatureBackend, mask: Mask, tiles: Sequence[Tile], layer: str) -> Area:
    """Return the weight of each position of a layer, from a mask of the whole image."""
    means = _means(mask, stride(layer))
    cores = [_core(means, tile, stride(layer)) for tile in tiles]
    sums = [float(core.sum()) for core in cores]
    # A tile outside the mask gets weights of 1, which avoids a division by zero, and a share of 0.
    weights = [core if total else np.ones_like(core) for core, total in zip(cores, sums, strict=True)]
    shares = [total / max(sum(sums), 1e-12) for total in sums]
    return Area([backend.asarray(core) for core in weights], shares, float(means.mean()))


def window(backend: FeatureBackend, weights: Tensor) -> tuple[slice, slice]:
    """Return the bounding rows and columns of the nonzero part of a mask."""
    counts = backend.to_host(weights) > 0
    means = [np.flatnonzero(counts.any(axis=axis)) for axis in (1, 0)]
    rows, columns = (slice(int(places[0]), int(places[-1]) + 1) for places in means)
    return rows, columns


def _means(mask: Mask, size: int) -> Mask:
    """Average a mask over squares of `size` pixels; an odd last row or column is left out, as by a pool."""
    height, width = mask.shape[0] // size, mask.shape[1] // size
    means: Mask = mask[: height * size, : width * size].reshape(height, size, width, size).mean(axis=(1, 3))
    return means


def _core(means: Mask, tile: Tile, size: int) -> Mask:
    top, left = tile.rows.start // size, tile.columns.start // size
    core = means[top : top + tile.rows.positions(size), left : left + tile.columns.positions(size)]
    return np.ascontiguousarray(core)
