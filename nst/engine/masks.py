"""Which positions of a picture count, and how much: everywhere alike, or as a mask says, at any layer and in any tile.

A mask `(H, W)`, 0..1, belongs to the picture. A layer's position covers a square of pixels, and its weight is their
mean, so that soft edges stay soft and tiles agree with the whole.
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
    """The positions of a layer that count, tile by tile.

    `weights` are `(H_l, W_l)` over each tile's core, or None where all count alike. `shares`, summing to 1, say how
    much of all that counts lies in each tile. `part` is what they count for together, of as many that all count: 0
    where the layer has no position within a mask.
    """

    weights: Sequence[Tensor | None]
    shares: Sequence[float]
    part: float = 1.0


def everywhere(tiles: Sequence[Tile], layer: str) -> Area:
    """All positions of a layer, alike."""
    positions = [tile.positions(stride(layer)) for tile in tiles]
    return Area([None] * len(tiles), [count / sum(positions) for count in positions])


def inside(backend: FeatureBackend, mask: Mask, tiles: Sequence[Tile], layer: str) -> Area:
    """Return the weight of each position of a layer, from a mask of the whole picture."""
    means = _means(mask, stride(layer))
    cores = [_core(means, tile, stride(layer)) for tile in tiles]
    sums = [float(core.sum()) for core in cores]
    # A tile without any part in the mask gets weights that can be divided by, and no share.
    weights = [core if total else np.ones_like(core) for core, total in zip(cores, sums, strict=True)]
    shares = [total / max(sum(sums), 1e-12) for total in sums]
    return Area([backend.asarray(core) for core in weights], shares, float(means.mean()))


def window(backend: FeatureBackend, weights: Tensor) -> tuple[int, int, int, int]:
    """Return the bounding box (top, bottom, left, right) of the nonzero part of a mask."""
    counts = backend.to_host(weights) > 0
    rows, columns = (np.flatnonzero(counts.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _means(mask: Mask, size: int) -> Mask:
    """Average a mask over squares of `size` pixels; an odd last row or column is left out, as by a pool."""
    height, width = mask.shape[0] // size, mask.shape[1] // size
    means: Mask = mask[: height * size, : width * size].reshape(height, size, width, size).mean(axis=(1, 3))
    return means


def _core(means: Mask, tile: Tile, size: int) -> Mask:
    top, left = tile.rows.start // size, tile.columns.start // size
    core = means[top : top + tile.rows.positions(size), left : left + tile.columns.positions(size)]
    return np.ascontiguousarray(core)
