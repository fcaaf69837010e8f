"""The weight of each position of a layer: equal everywhere, or from a mask, for the whole image and for tiles.

A mask `(H, W)`, 0..1, has the size of the image. A position of a layer covers a square of pixels; its weight is the
mean of the mask there, so that soft edges stay soft and tiles agree with the whole image.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.typing import NDArray

from nst.engine.tiling import Tile
from nst.geometry import Layer
from nst.protocols import FeatureBackend, Tensor

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


def everywhere(backend: FeatureBackend, tiles: Sequence[Tile], layer: Layer) -> Area:
    """Return the area of all positions of a layer, alike."""
    if len(tiles) == 1:
        return Area([None], [1.0])
    counts = [prod(tile.positions(layer.stride, _total(backend, tiles, layer))) for tile in tiles]
    return Area([None] * len(tiles), [count / sum(counts) for count in counts])


def inside(backend: FeatureBackend, mask: Mask, tiles: Sequence[Tile], layer: Layer) -> Area:
    """Return the weight of each position of a layer, from a mask of the whole image."""
    total = _total(backend, tiles, layer)
    means = _means(mask, layer.stride, total)
    cores = [_core(means, tile, layer.stride, total) for tile in tiles]
    sums = [float(core.sum()) for core in cores]
    # A tile outside the mask gets weights of 1, which avoids a division by zero, and a share of 0.
    weights = [core if number else np.ones_like(core) for core, number in zip(cores, sums, strict=True)]
    shares = [number / max(sum(sums), 1e-12) for number in sums]
    return Area([backend.asarray(core) for core in weights], shares, float(means.mean()))


def _total(backend: FeatureBackend, tiles: Sequence[Tile], layer: Layer) -> tuple[int, int]:
    """Return the (rows, columns) of a layer's features of the image that was cut into `tiles`."""
    height, width = tiles[-1].rows.stop, tiles[-1].columns.stop
    return _positions(backend, layer, height), _positions(backend, layer, width)


def _positions(backend: FeatureBackend, layer: Layer, length: int) -> int:
    """Return the number of positions along a side; the network itself says if a rest of pixels is one more."""
    if length % layer.stride == 0:
        return length // layer.stride
    strip = backend.asarray(np.zeros((length, layer.least, 3), np.float32))
    return int(backend.features(strip, [layer.name])[layer.name].shape[0])


def window(backend: FeatureBackend, weights: Tensor) -> tuple[int, int, int, int]:
    """Return the bounding box (top, bottom, left, right) of the nonzero part of a mask."""
    counts = backend.to_host(weights) > 0
    rows, columns = (np.flatnonzero(counts.any(axis=axis)) for axis in (1, 0))
    return int(rows[0]), int(rows[-1]) + 1, int(columns[0]), int(columns[-1]) + 1


def _means(mask: Mask, size: int, total: tuple[int, int]) -> Mask:
    """Average a mask over squares of `size` pixels; a rest of pixels is left out, or repeated to fill a square."""
    height, width = total
    beyond = [(0, max(0, count * size - length)) for count, length in zip(total, mask.shape, strict=True)]
    filled = np.pad(mask, beyond, mode="edge")[: height * size, : width * size]
    means: Mask = filled.reshape(height, size, width, size).mean(axis=(1, 3))
    return means


def _core(means: Mask, tile: Tile, size: int, total: tuple[int, int]) -> Mask:
    top, left = tile.rows.start // size, tile.columns.start // size
    rows, columns = tile.positions(size, total)
    return np.ascontiguousarray(means[top : top + rows, left : left + columns])
