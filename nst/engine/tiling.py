"""A picture cut into tiles, so that a large one fits into memory: geometry in whole numbers, nothing else.

Each tile answers for its *core*; the cores cover the picture once. It looks at its *box*, the core with a halo wide
enough that the features over the core are those of the whole picture. Boxes begin at multiples of the coarsest
stride, so that pools halve the same pixels, and end where the picture does where the halo would reach beyond it, so
that the network's own padding is met where the whole picture meets it, and nowhere else.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from nst.vgg.architecture import reach, stride

SMALLEST = 64  # pixels of core: below, a tile is nearly all halo


@dataclass(frozen=True)
class Span:
    """One axis of a tile in pixels: its core `start:stop` in a picture `length` long, and its box `low:high`."""

    start: int
    stop: int
    low: int
    high: int

    @property
    def box(self) -> slice:
        """The box in the picture."""
        return slice(self.low, self.high)

    def core(self, stride: int) -> slice:
        """Return the core as slices of the box's features, with a position every `stride` pixels."""
        begin = (self.start - self.low) // stride
        return slice(begin, begin + self.positions(stride))

    def rim(self, stride: int) -> slice:
        """Return the core with the neighboring positions, as far as the box has any."""
        core = self.core(stride)
        return slice(max(0, core.start - 1), core.stop + 1)

    def core_in_rim(self, stride: int) -> slice:
        """Return the core as slices of the widened core's features."""
        core, rim = self.core(stride), self.rim(stride)
        return slice(core.start - rim.start, core.stop - rim.start)

    def positions(self, stride: int) -> int:
        """How many positions of such features the core has; an odd last pixel has none, as in a pool."""
        return self.stop // stride - self.start // stride

    @property
    def kind(self) -> Span:
        """The span with its box at 0: alike for spans that differ in place only."""
        return Span(self.start - self.low, self.stop - self.low, 0, self.high - self.low)


@dataclass(frozen=True)
class Tile:
    """Some rows and columns of a picture."""

    rows: Span
    columns: Span

    @property
    def box(self) -> tuple[slice, slice]:
        """What the tile looks at, in the picture."""
        return self.rows.box, self.columns.box

    def core(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core as slices of its box's features."""
        return self.rows.core(stride), self.columns.core(stride)

    def rim(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core with the neighboring positions, for losses that compare neighbors."""
        return self.rows.rim(stride), self.columns.rim(stride)

    def core_in_rim(self, stride: int) -> tuple[slice, slice]:
        """Return the tile's core as slices of the widened core's features."""
        return self.rows.core_in_rim(stride), self.columns.core_in_rim(stride)

    def positions(self, stride: int) -> int:
        """How many positions it answers for there."""
        return self.rows.positions(stride) * self.columns.positions(stride)

    @property
    def kind(self) -> Tile:
        """The tile with its box at 0: alike for tiles that differ in place only."""
        return Tile(self.rows.kind, self.columns.kind)


@dataclass(frozen=True)
class Grid:
    """All tiles of a picture: each of the rows with each of the columns."""

    rows: Sequence[Span]
    columns: Sequence[Span]

    def __len__(self) -> int:
        """How many tiles there are."""
        return len(self.rows) * len(self.columns)

    def __iter__(self) -> Iterator[Tile]:
        """Yield the tiles, row by row."""
        return (Tile(row, column) for row in self.rows for column in self.columns)

    @property
    def kinds(self) -> int:
        """How many kinds of tiles there are."""
        return len({row.kind for row in self.rows}) * len({column.kind for column in self.columns})

    def boxes(self) -> Counter[tuple[int, int]]:
        """How many tiles look at so many (height, width) pixels."""
        heights, widths = (Counter(span.high - span.low for span in spans) for spans in (self.rows, self.columns))
        return Counter({(high, wide): heights[high] * widths[wide] for high, wide in product(heights, widths)})


def whole(shape: tuple[int, int]) -> tuple[Tile, ...]:
    """Return an image of (height, width) as a single tile."""
    return cut(shape, 0, ())


def cut(shape: tuple[int, int], size: int, layers: Collection[str]) -> tuple[Tile, ...]:
    """Tiles with cores of at most `size` pixels each way (0: no limit), rounded up to the coarsest stride of `layers`.

    `layers` are those whose features the cores must have right.
    """
    return tuple(grid(shape, size, layers))


def grid(shape: tuple[int, int], size: int, layers: Collection[str]) -> Grid:
    """Return the rows and columns that `cut` cuts into; a huge image has few of them and very many tiles."""
    if not size or max(shape) <= size:
        return Grid(*((Span(0, length, 0, length),) for length in shape))
    step = max(map(stride, layers), default=1)
    halo = -(-reach(layers) // step) * step
    return Grid(*(tuple(_spans(length, size, step, halo)) for length in shape))


def _spans(length: int, size: int, step: int, halo: int) -> Iterator[Span]:
    """Of one length but for the last: tiles of few kinds are few programs to trace. Each has a position everywhere."""
    parts = -(-length // size)
    core = -(-length // (parts * step)) * step
    starts = [start for start in range(0, length, core) if length - start >= step] or [0]
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        yield Span(start, stop, max(0, start - halo), min(length, stop + halo))
