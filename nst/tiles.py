"""A picture cut into tiles, so that a large one fits into memory: geometry in whole numbers, nothing else.

Each tile answers for its *core*; the cores cover the picture once. It looks at its *box*, the core with a halo wide
enough that the features over the core are those of the whole picture. Boxes begin at multiples of the coarsest
stride, so that pools halve the same pixels, and end where the picture does where the halo would reach beyond it, so
that the network's own padding is met where the whole picture meets it, and nowhere else.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from nst.architectures import reach, stride

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
        """The core in features of the box with a position every `stride` pixels."""
        begin = (self.start - self.low) // stride
        return slice(begin, begin + self.positions(stride))

    def rim(self, stride: int) -> slice:
        """The core with its next positions, as far as the box has any."""
        core = self.core(stride)
        return slice(max(0, core.start - 1), core.stop + 1)

    def core_in_rim(self, stride: int) -> slice:
        """The core in features of the rim."""
        core, rim = self.core(stride), self.rim(stride)
        return slice(core.start - rim.start, core.stop - rim.start)

    def positions(self, stride: int) -> int:
        """How many positions of such features the core has; an odd last pixel has none, as in a pool."""
        return self.stop // stride - self.start // stride


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
        """What the tile answers for, in features of its box."""
        return self.rows.core(stride), self.columns.core(stride)

    def rim(self, stride: int) -> tuple[slice, slice]:
        """The same with the next positions around it, for what looks at neighbors."""
        return self.rows.rim(stride), self.columns.rim(stride)

    def core_in_rim(self, stride: int) -> tuple[slice, slice]:
        """What the tile answers for, in features of its rim."""
        return self.rows.core_in_rim(stride), self.columns.core_in_rim(stride)

    def positions(self, stride: int) -> int:
        """How many positions it answers for there."""
        return self.rows.positions(stride) * self.columns.positions(stride)

    def share(self, shape: tuple[int, int], stride: int) -> float:
        """Which part that is of the positions of a whole picture of `shape`."""
        height, width = shape
        return self.positions(stride) / ((height // stride) * (width // stride))

    @property
    def kind(self) -> tuple[int, ...]:
        """Alike for tiles that differ in place only."""
        spans = (self.rows, self.columns)
        return tuple(n for s in spans for n in (s.start - s.low, s.stop - s.start, s.high - s.stop))


def whole(shape: tuple[int, int]) -> tuple[Tile, ...]:
    """A picture of (height, width) as a single tile."""
    height, width = shape
    return (Tile(Span(0, height, 0, height), Span(0, width, 0, width)),)


def cut(shape: tuple[int, int], size: int, layers: Collection[str]) -> tuple[Tile, ...]:
    """Tiles with cores of at most `size` pixels each way (0: no limit), rounded up to the coarsest stride of `layers`.

    `layers` are those whose features the cores must have right.
    """
    if not size or max(shape) <= size:
        return whole(shape)
    step = max(map(stride, layers), default=1)
    halo = -(-reach(layers) // step) * step
    rows, columns = (tuple(_spans(length, size, step, halo)) for length in shape)
    return tuple(Tile(row, column) for row in rows for column in columns)


def _spans(length: int, size: int, step: int, halo: int) -> Iterator[Span]:
    """Of one length but for the last: tiles of few kinds are few programs to trace. Each has a position everywhere."""
    parts = -(-length // size)
    core = -(-length // (parts * step)) * step
    starts = [start for start in range(0, length, core) if length - start >= step] or [0]
    for start, stop in zip(starts, [*starts[1:], length], strict=True):
        yield Span(start, stop, max(0, start - halo), min(length, stop + halo))
