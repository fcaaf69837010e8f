"""Cut an image into tiles, so that a large image fits into memory; integer geometry only.

Each tile has a *core*; the cores cover the image once. The network sees the *box* of a tile: the core with a halo, wide
enough that the features over the core equal those of the whole image. Boxes begin at multiples of the coarsest stride,
so that pools halve the same pixels. Boxes end at the border of the image, so that the network's padding lies where it
lies for the whole image, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from nst.geometry import Layer

SMALLEST = 64  # pixels of core; a smaller tile is nearly all halo


@dataclass(frozen=True)
class Span:
    """One axis of a tile in pixels: its core `start:stop` and its box `low:high`."""

    start: int
    stop: int
    low: int
    high: int

    @property
    def box(self) -> slice:
        """The box as a slice of the image."""
        return slice(self.low, self.high)

    @property
    def last(self) -> bool:
        """Whether the core ends where the image ends; then it has all positions that the features have left."""
        return self.stop == self.high

    def core(self, stride: int) -> slice:
        """Return the core as slices of the box's features, with a position every `stride` pixels."""
        begin = (self.start - self.low) // stride
        return slice(begin, None if self.last else begin + (self.stop - self.start) // stride)

    def rim(self, stride: int) -> slice:
        """Return the core with the neighboring positions, if they are in the box."""
        core = self.core(stride)
        return slice(max(0, core.start - 1), None if self.last else core.stop + 1)

    def rim_in_image(self, stride: int) -> slice:
        """Return the core with the neighboring positions as a slice of the image's features."""
        rim, low = self.rim(stride), self.low // stride
        return slice(low + rim.start, None if self.last else low + rim.stop)

    def core_in_rim(self, stride: int) -> slice:
        """Return the core as slices of the rim's features."""
        core, rim = self.core(stride), self.rim(stride)
        return slice(core.start - rim.start, None if self.last else core.stop - rim.start)

    def positions(self, stride: int, total: int) -> int:
        """Return the number of positions in the core, of `total` positions of the image."""
        return (total if self.last else self.stop // stride) - self.start // stride

    @property
    def kind(self) -> Span:
        """The span with its box at 0; equal for spans that differ in place only."""
        return Span(self.start - self.low, self.stop - self.low, 0, self.high - self.low)


@dataclass(frozen=True)
class Tile:
    """A rectangle of an image: a span of rows and a span of columns."""

    rows: Span
    columns: Span

    @property
    def box(self) -> tuple[slice, slice]:
        """The tile's box as slices of the image."""
        return self.rows.box, self.columns.box

    def core(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core as slices of its box's features."""
        return self.rows.core(stride), self.columns.core(stride)

    def rim(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core with the neighboring positions, for losses that compare neighbors."""
        return self.rows.rim(stride), self.columns.rim(stride)

    def rim_in_image(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core with the neighboring positions as slices of the image's features."""
        return self.rows.rim_in_image(stride), self.columns.rim_in_image(stride)

    def core_in_rim(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core as slices of the widened core's features."""
        return self.rows.core_in_rim(stride), self.columns.core_in_rim(stride)

    def positions(self, stride: int, total: tuple[int, int]) -> tuple[int, int]:
        """Return the (rows, columns) of positions in the core, of `total` of the image."""
        return self.rows.positions(stride, total[0]), self.columns.positions(stride, total[1])

    @property
    def kind(self) -> Tile:
        """The tile with its box at 0; equal for tiles that differ in place only."""
        return Tile(self.rows.kind, self.columns.kind)


@dataclass(frozen=True)
class Grid:
    """All tiles of an image: each span of rows with each span of columns."""

    rows: Sequence[Span]
    columns: Sequence[Span]

    def __len__(self) -> int:
        """Return the number of tiles."""
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[Tile]:
        """Yield the tiles, row by row."""
        return (Tile(row, column) for row in self.rows for column in self.columns)

    @property
    def kinds(self) -> int:
        """The number of kinds of tiles."""
        return len({row.kind for row in self.rows}) * len({column.kind for column in self.columns})

    def boxes(self) -> Counter[tuple[int, int]]:
        """Return the number of tiles for each (height, width) of a box."""
        heights, widths = (Counter(span.high - span.low for span in spans) for spans in (self.rows, self.columns))
        return Counter({(high, wide): heights[high] * widths[wide] for high, wide in product(heights, widths)})


def whole(shape: tuple[int, int]) -> tuple[Tile, ...]:
    """Return an image of (height, width) as a single tile."""
    return cut(shape, 0, ())


def cut(shape: tuple[int, int], size: int, layers: Collection[Layer]) -> tuple[Tile, ...]:
    """Return tiles with cores of at most `size` pixels each way (0: no limit), rounded up to the coarsest stride.

    The features of `layers` over a core equal those of the whole image.
    """
    return tuple(tile_grid(shape, size, layers))


def tile_grid(shape: tuple[int, int], size: int, layers: Collection[Layer]) -> Grid:
    """Return the tiles of `cut` as rows and columns, because a huge image has many tiles but few rows and columns."""
    if not size or max(shape) <= size:
        return Grid(*((Span(0, length, 0, length),) for length in shape))
    step = max((layer.stride for layer in layers), default=1)
    sight = max((layer.reach + layer.stride for layer in layers), default=0)  # one position more, for its neighbors
    halo = -(-sight // step) * step
    return Grid(*(tuple(_spans(length, size, step, halo)) for length in shape))


def _spans(length: int, size: int, step: int, halo: int) -> Iterator[Span]:
    """Yield spans of equal length but for the last, so that few kinds of tiles are traced; each has a position."""
    parts = -(-length // size)
    core = -(-length // (parts * step)) * step
    starts = [start for start in range(0, length, core) if length - start >= step] or [0]
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        yield Span(start, stop, max(0, start - halo), min(length, stop + halo))
