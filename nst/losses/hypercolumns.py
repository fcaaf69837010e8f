"""Compute hypercolumns, the concatenated features of all layers at one place, and search for the most similar ones.

Uses NumPy only. A place is a cell of 4×4 pixels, and its hypercolumn has every layer's channels (Hariharan et al.
2015).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nst.protocols import Features

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]

CELL = 4
"""Pixels of a cell, each way."""

DIMENSIONS = 256
"""Dimensions that hypercolumns are compared in; a principal component analysis chooses them."""

SAMPLE = 4096
"""Hypercolumns of each set that the principal components are computed from."""

ROUNDS = 32
"""Parts of the queries, after each of which the uses of the references are counted."""

TINY = 1e-12  # avoids a division by zero

BLOCK = 1 << 24
"""Similarities that are computed at once: 64 MB."""


def hypercolumns(features: Features, shape: tuple[int, int]) -> Floats:
    """Return the hypercolumns `(H * W, sum of C_l)` of a grid of `shape` (H, W) cells.

    Each layer is divided by its number of channels, so that a wide layer does not outweigh the others (Kolkin et al.
    2022, section 3.1).
    """
    maps = ((features[layer], features.strides[layer]) for layer in features)  # each layer is read once
    columns = [_at_cells(layer, stride, shape) / layer.shape[-1] for layer, stride in maps]
    return np.concatenate([column.reshape(-1, column.shape[-1]) for column in columns], axis=1)


def cell_grid(shape: Sequence[int]) -> tuple[int, int]:
    """Return the (height, width) in cells of an image `(H, W, …)`; a smaller image is one cell."""
    return max(1, shape[0] // CELL), max(1, shape[1] // CELL)


def _at_cells(features: Floats, stride: int, shape: tuple[int, int]) -> Floats:
    """Average a fine layer over each cell, and interpolate a coarse one at the centers of the cells."""
    pooled = pool(features, max(1, CELL // stride))
    step = max(stride, CELL)
    for axis in (0, 1):
        pooled = interpolate(pooled, (np.arange(shape[axis]) + 0.5) * CELL / step - 0.5, axis)
    return pooled


def pool(features: Floats, size: int) -> Floats:
    """Average `(H, W, C)` over squares of `size` positions; drop a remainder, and return a smaller array unchanged."""
    height, width = (max(1, length // size) for length in features.shape[:2])
    if size == 1 or min(features.shape[:2]) < size:
        return features
    cut = features[: height * size, : width * size].reshape(height, size, width, size, -1)
    pooled: Floats = cut.mean(axis=(1, 3))
    return pooled


def interpolate(features: Floats, places: NDArray[np.float64], axis: int) -> Floats:
    """Return `(H, W, C)` interpolated linearly at fractional `places` of an axis, clipped to its ends."""
    last = features.shape[axis] - 1
    places = np.clip(places, 0, last)
    low = np.floor(places).astype(np.intp)
    if np.array_equal(low, places):
        return features if len(places) == last + 1 else features.take(low, axis)
    share = (places - low).astype(np.float32).reshape([-1 if i == axis else 1 for i in range(features.ndim)])
    following = features.take(np.minimum(low + 1, last), axis)
    mixed: Floats = features.take(low, axis) * (1 - share) + following * share
    return mixed


def reduce_dimensions(
    query: Floats, references: Sequence[Floats], dimensions: int = DIMENSIONS
) -> tuple[Floats, list[Floats]]:
    """Return the query and the references as unit vectors of few dimensions.

    Each set has its own mean subtracted, so that the search compares deviations. The dimensions are the principal
    components of samples of all sets, by a randomized range finder (Halko et al. 2011, algorithm 4.4).
    """
    rng = np.random.default_rng(0)
    centered = [columns - columns.mean(axis=0) for columns in (query, *references)]
    if query.shape[1] > dimensions:
        sample = np.concatenate([rng.permutation(columns)[:SAMPLE] for columns in centered])
        basis = _components(sample, dimensions, rng)
        centered = [columns @ basis for columns in centered]
    first, *others = (
        columns / np.maximum(np.linalg.norm(columns, axis=1, keepdims=True), 1e-12) for columns in centered
    )
    return first, others


def _components(sample: Floats, count: int, rng: np.random.Generator) -> Floats:
    """Return an orthonormal basis `(D, count)` of the directions in which `sample` `(N, D)` varies most."""
    projected = sample @ rng.standard_normal((sample.shape[1], count), dtype=np.float32)
    for _ in range(2):
        basis = np.linalg.qr(sample.T @ np.linalg.qr(projected)[0])[0]
        projected = sample @ basis
    return basis.astype(np.float32)


def nearest(query: Floats, references: Floats, penalty: Floats | None = None) -> tuple[Ints, Floats]:
    """Return for each query the index of the reference of greatest cosine, and the cosine.

    Both are unit vectors `(N, D)` and `(M, D)`; `penalty` `(M,)` is subtracted from the cosines. Of equal references
    the first is taken, whatever the number of queries computed at once.
    """
    index = np.empty(len(query), np.intp)
    score = np.empty(len(query), np.float32)
    count = max(1, BLOCK // len(references))
    for start in range(0, len(query), count):
        cosines = query[start : start + count] @ references.T
        if penalty is not None:
            cosines -= penalty
        best = cosines.argmax(axis=1)
        index[start : start + count] = best
        score[start : start + count] = cosines[np.arange(len(best)), best]
    return index, score


def match_sparingly(query: Floats, references: Floats, weight: float) -> tuple[Ints, Floats]:
    """Return what `nearest` returns, where a reference loses `weight` of its cosine each time it is used.

    Queries are matched in a random order, in `ROUNDS` parts; uses are counted after each part.
    """
    index, score = np.empty(len(query), np.intp), np.empty(len(query), np.float32)
    penalty = np.zeros(len(references), np.float32)
    for part in np.array_split(np.random.default_rng(0).permutation(len(query)), ROUNDS):
        index[part], score[part] = nearest(query[part], references, penalty)
        penalty += np.float32(weight) * np.bincount(index[part], minlength=len(references)).astype(np.float32)
    return index, score
