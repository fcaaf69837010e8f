"""Match each place of the image to the most similar place of the style, and draw its features there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from nst.losses.content import Content
from nst.losses.content_cosine import ContentCosine
from nst.losses.hypercolumns import (
    CELL,
    cell_grid,
    hypercolumns,
    interpolate,
    match_sparingly,
    nearest,
    pool,
    reduce_dimensions,
)
from nst.protocols import Features, Namespace, Pixels, Targets, Tensor

Floats = NDArray[np.float32]
Ints = NDArray[np.intp]
BORDER = 2
"""Cells at the border of a style that are not matched."""

Axis = tuple[Ints, Ints, Floats]
"""For each position of an axis a cell near it, the pixel relative to that cell, and the cell's share."""


class Neighbor:
    """Distance of features from those at the matched place of the style (after Kolkin et al. 2022).

    Once per size, each cell of 4×4 pixels of the query is matched to the cell of the style, in its `rotations`, whose
    hypercolumn has the greatest cosine. `alpha` is the share of the current image in the query; the remaining share is
    the content.

    Departs from the paper: a matched cell gives every layer the block of the style's own features at that layer's
    resolution, and the blocks of neighboring cells are blended. The paper compares hypercolumns at a quarter of the
    resolution, which shows as a weave of 4 pixels and loses fine paint.
    """

    def __init__(
        self,
        *,
        rotations: int = 4,
        alpha: float = 0.25,
        distance: str = "cosine",
        occurrence: float = 0.0,
        luminance: float = 0.0,
    ) -> None:
        self._rotations, self._alpha = rotations, alpha
        self._occurrence, self._luminance = occurrence, luminance
        self._compare = ContentCosine() if distance == "cosine" else Content()

    def query(self, content: Pixels, image: Pixels | None) -> Pixels:
        """Return the content, and from the second size on a share of the image so far with the content's detail."""
        if image is None:
            return content
        return self._alpha * (image + content - _blurred(content)) + (1 - self._alpha) * content

    def references(self, style: Pixels) -> Sequence[Pixels]:
        """Return the style image in its rotations by quarter turns."""
        return [np.rot90(style, turns) for turns in range(self._rotations)]

    def match(self, query: Features, styles: Sequence[Features], shares: Sequence[float]) -> Targets:
        """Yield each layer with its target map."""
        used = [style for style, share in zip(styles, np.repeat(shares, self._rotations), strict=True) if share > 0]
        places = self._places(query, used, [share for share in shares if share > 0])
        return self._targets(query, used, places)

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """Return `(H, W)`: the distance of two `(H, W, C)` at each position."""
        return self._compare.difference(xp, features, target)

    def energy(self, xp: Namespace, target: Tensor) -> Tensor | float:
        """Return `(H, W)`: the squared length of `target` `(H, W, C)` at each position, or 1 for a cosine."""
        return self._compare.energy(xp, target)

    def _places(self, query: Features, styles: Sequence[Features], shares: Sequence[float]) -> Ints:
        """Return `(H, W, 3)`: for each cell of the query the reference, row and column of the matched cell."""
        shape, grids = cell_grid(query.image.shape), [cell_grid(style.image.shape) for style in styles]
        columns = [self._columns(style, cells) for style, cells in zip(styles, grids, strict=True)]
        unit, references = reduce_dimensions(self._columns(query, shape), columns)
        inner = [_inner(cells) for cells in grids]
        references = [reference[i] for reference, i in zip(references, inner, strict=True)]
        sets = np.split(np.arange(len(references)), len(shares))
        matches = [self._search(unit, np.concatenate([references[i] for i in part])) for part in sets]
        chosen = _competed(np.stack([score for _, score in matches]), shares)
        offsets = np.cumsum([0, *(sum(len(references[i]) for i in part) for part in sets)])
        index = np.stack([index + offset for (index, _), offset in zip(matches, offsets[:-1], strict=True)])
        flat = index[chosen, np.arange(len(unit))]
        tables = [_cells(number, cells)[i] for number, (cells, i) in enumerate(zip(grids, inner, strict=True))]
        places: Ints = np.concatenate(tables)[flat].reshape(*shape, 3)
        return places

    def _columns(self, maps: Features, cells: tuple[int, int]) -> Floats:
        columns = hypercolumns(maps, cells)
        if not self._luminance:
            return columns
        light = _luminance(maps.image, cells)
        return np.concatenate([columns, self._luminance * np.linalg.norm(columns.std(axis=0)) * light], axis=1)

    def _search(self, unit: Floats, references: Floats) -> tuple[Ints, Floats]:
        return match_sparingly(unit, references, self._occurrence) if self._occurrence else nearest(unit, references)

    def _targets(self, query: Features, styles: Sequence[Features], places: Ints) -> Targets:
        """Return the target map of each layer: the styles' features at the matched places, blended between cells."""
        blends = {layer: _blend(places, query.strides[layer], query.shapes[layer]) for layer in query}
        targets: dict[str, Floats] = {}
        for number, style in enumerate(styles):
            for layer, blend in blends.items():
                features = style[layer]
                target = targets.setdefault(layer, np.zeros((*query.shapes[layer][:2], features.shape[-1]), np.float32))
                for corner in blend:
                    corner.add(target, features, number)
        return targets


@dataclass(frozen=True)
class Corner:
    """One of the four cells around each position of a layer: where its match lies, and its `share` of the target.

    `reference`, `row`, `column` and `share` are `(H, W)`; row and column are positions of the layer.
    """

    reference: Ints
    row: Ints
    column: Ints
    share: Floats

    def add(self, target: Floats, features: Floats, number: int) -> None:
        """Add the share of the `features` of reference `number` to the target map."""
        here = self.reference == number
        height, width = features.shape[:2]
        rows, columns = np.clip(self.row[here], 0, height - 1), np.clip(self.column[here], 0, width - 1)
        target[here] += features[rows, columns] * self.share[here, None]


def _blend(places: Ints, step: int, shape: Sequence[int]) -> list[Corner]:
    rows, columns = (_around(length, step, cells) for length, cells in zip(shape, places.shape[:2], strict=False))
    return [_corner(places, step, row, column) for row in rows for column in columns]


def _corner(places: Ints, step: int, rows: Axis, columns: Axis) -> Corner:
    (cell_row, pixel_row, share_row), (cell_column, pixel_column, share_column) = rows, columns
    reference, row, column = np.moveaxis(places[np.ix_(cell_row, cell_column)], -1, 0)
    down, right = (row * CELL + pixel_row[:, None]) // step, (column * CELL + pixel_column) // step
    return Corner(reference, down, right, share_row[:, None] * share_column)


def _around(length: int, step: int, cells: int) -> list[Axis]:
    """Return, for the two cells around each position of an axis, the cell, the pixel in it, and the cell's share."""
    pixel = np.arange(length) * step
    center = (pixel + (step - 1) / 2 + 0.5) / CELL - 0.5
    low = np.floor(center).astype(np.intp)
    share = (center - low).astype(np.float32)
    pairs = ((low, 1 - share), (low + 1, share))
    return [(cell := np.clip(near, 0, cells - 1), pixel - cell * CELL, part) for near, part in pairs]


def _inner(cells: tuple[int, int]) -> NDArray[np.bool_]:
    """`(H * W,)`: whether a cell of a style may be matched. Cells at the border of an image may not.

    The features there show the padding of the network, so that the border of the picture would match the border of the
    painting and become a frame.
    """
    inner = np.zeros(cells, np.bool_)
    margin = BORDER if min(cells) > 4 * BORDER else 0
    inner[margin : cells[0] - margin, margin : cells[1] - margin] = True
    return inner.ravel()


def _cells(number: int, cells: tuple[int, int]) -> Ints:
    rows, columns = np.indices(cells)
    return np.stack([np.full(rows.size, number), rows.ravel(), columns.ravel()], axis=1)


def _competed(scores: Floats, shares: Sequence[float]) -> Ints:
    """Return for each query the style, of K `scores` `(K, N)`, so that each style gets its share of the queries.

    A style that gets too little has its scores raised, a few times over.
    """
    bias = np.zeros(len(shares), np.float32)
    step = 0.5 * float(scores.std()) + 1e-6
    for _ in range(40 if len(shares) > 1 else 0):
        got = np.bincount((scores + bias[:, None]).argmax(axis=0), minlength=len(shares)) / scores.shape[1]
        bias += step * (np.asarray(shares, np.float32) - got.astype(np.float32))
        step *= 0.95
    chosen: Ints = (scores + bias[:, None]).argmax(axis=0)
    return chosen


def _luminance(image: Pixels, cells: tuple[int, int]) -> Floats:
    """Return `(cells, 1)`: the lightness of each cell, of mean 0 and deviation 1."""
    light = image[: cells[0] * CELL, : cells[1] * CELL] @ np.array([0.299, 0.587, 0.114], np.float32)
    mean = light.reshape(cells[0], -1, cells[1], light.shape[1] // cells[1]).mean(axis=(1, 3)).reshape(-1, 1)
    standard: Floats = (mean - mean.mean()) / (mean.std() + 1e-6)
    return standard


def _blurred(image: Pixels) -> Pixels:
    """Return the image without its finest detail: halved by averages and enlarged again."""
    small = pool(image, 2)
    for axis in (0, 1):
        small = interpolate(small, (np.arange(image.shape[axis]) + 0.5) / 2 - 0.5, axis)
    return small
