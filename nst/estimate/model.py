"""What a run will take, said before it starts: memory by a model of the network, time by evaluations that were timed.

Memory depends on shapes alone: what the framework holds anyway, the pictures, the images that engine and optimizer
keep, the content's features, and the activations of the largest piece that is computed at once. Time is read
off the line through two evaluations at small sizes, by the operations of each size. `benchmarks/memory.py` holds the
constants here against real runs.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import prod
from typing import Any

from nst.engine.bleed import BleedCanvas
from nst.engine.tiling import SMALLEST, Grid, tile_grid
from nst.estimate.flops import FLOAT, Outline, Size, activations, evaluation, feature_bytes, forward
from nst.geometry import Layer
from nst.specs import MemoryModel

WEIGHTS = 1.5
"""Times the weights are held: as the backend wants them, and what the allocator keeps of the arrays that were read."""

KEPT = 14
"""Images as large as the picture that are held beside the optimizer's state: where it is, where it was, the gradients
there, the best, and those between two lines of arithmetic."""

PASSING = 22
"""Images as large as the piece at hand that losses on pixels and the first convolution hold for the way back."""

COMPARING = 4
"""Times the content's features are held at the piece at hand: they, their difference, its square, its gradient."""

WEIGHING = 1.4
"""Times a style layer's features at the piece at hand are held weighted by a mask that is white all over."""

LOOKING = 0.5
"""The part of an evaluation's activations that are held without a way back, when a style is looked at."""

UPDATES = 6
"""Sums of two images that a step costs beside those over the optimizer's state."""

PER_STATE = 1.5
"""Sums of two images for each image of the optimizer's state."""

LEFT_OVER = 0.6
"""The share of an earlier, smaller size's memory that lies in pieces too small for the arrays of the next."""

RESIZING = 8
"""Bytes per pixel of the content while it is resized: a channel in memory of its own, and Pillow's copy of it."""

CENTERING = 12
"""Bytes per pixel of a style while its colors' covariance is computed: a copy without its mean."""

FIXED = 0.4
"""The part of the smallest evaluation that one of nothing at all would take, where no larger one was timed."""

FLATTEST = 0.25
"""The least part of a larger evaluation that grows with the picture, however fast the clock says it was."""

MARGIN = 0.9
"""The part of what is free that tiles are chosen for."""


@dataclass(frozen=True)
class LevelPlan:
    """One size before it is run: long side `size` in pixels, canvas and network.

    `outline` is None for a network of unknown shape. `style_shapes` are the sizes of the style images at this level.
    `tile` is the tile size to begin with, 0 for none. `earlier` are the long sides of the levels before.
    """

    size: int
    canvas: BleedCanvas
    steps: int
    weights: str
    outline: Outline | None
    style_shapes: Sequence[Size]
    tile: int = 0
    earlier: Sequence[int] = ()

    @property
    def shape(self) -> Size:
        """(height, width) of what is painted, with its rim."""
        return self.canvas.shape

    @property
    def image(self) -> int:
        """Bytes of the image."""
        return prod(self.shape) * 3 * FLOAT


@dataclass(frozen=True)
class Timing:
    """The measured seconds of a network's evaluations.

    `fixed` are the seconds of each forward and backward pass, however small the image. `rate` are the seconds for each
    operation, as `Estimator.operations` counts them. `overhead` are the seconds that a new size, or a new kind of tile,
    costs once. `seconds_per_byte` are the seconds to add two arrays, for each byte of one of them.
    """

    fixed: float
    rate: float
    overhead: float
    seconds_per_byte: float


def line(timed: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """Fit `fixed` and `rate` of a `Timing` to the (work, seconds) of one evaluation, or of a small and a large one."""
    (work, seconds), (most_work, most_seconds) = timed[0], timed[-1]
    if work == most_work:
        return FIXED * seconds, (1 - FIXED) * seconds / work
    steepest = most_seconds / most_work
    rate = min(steepest, max(FLATTEST * steepest, (most_seconds - seconds) / (most_work - work)))
    return most_seconds - rate * most_work, rate


@dataclass(frozen=True)
class LevelEstimate:
    """What one size will take: `seconds`, peak `memory` in bytes, `operations` of an evaluation; None is unknown."""

    size: int
    steps: int
    tile: int
    weights: str
    seconds: float | None
    memory: int | None
    operations: float | None


@dataclass(frozen=True)
class Estimate:
    """What a run will take.

    `start` are the seconds that opening the backends took, which are not among `seconds`. `at_least` says of the memory
    that the backend does not tell what its framework holds in addition, `at_most` of the time that the run may end
    early.
    """

    parts: Sequence[LevelEstimate]
    start: float = 0.0
    at_least: bool = False
    at_most: bool = False

    @property
    def seconds(self) -> float | None:
        """From the first size to the last; None where one is unknown."""
        known = [part.seconds for part in self.parts if part.seconds is not None]
        return sum(known) if len(known) == len(self.parts) else None

    @property
    def memory(self) -> int | None:
        """Bytes at the worst moment."""
        return max((part.memory for part in self.parts if part.memory is not None), default=None)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        totals = {"seconds": self.seconds, "memory": self.memory, "start": self.start}
        bounds = {"at_least": self.at_least, "at_most": self.at_most}
        return {**totals, **bounds, "sizes": [asdict(part) for part in self.parts]}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Estimate:
        """Return the estimate that `to_dict` made plain."""
        parts = [LevelEstimate(**part) for part in data["sizes"]]
        return cls(parts, data["start"], data["at_least"], data["at_most"])


def unknown_estimate(stages: Sequence[LevelPlan], start: float) -> Estimate:
    """Sizes of which nothing is known."""
    parts = [LevelEstimate(stage.size, stage.steps, stage.tile, stage.weights, None, None, None) for stage in stages]
    return Estimate(parts, start)


@dataclass(frozen=True)
class Estimator:
    """What is the same at every size: the framework's own share, the layers looked at, the optimizer's state.

    `compared` are the layers whose content features are kept, by each loss that keeps them. `copies` says how many
    times the features of a layer are held by losses beside that. `masked` is how many regions have a mask. `pictures`
    are the bytes of all pictures. `state_bytes` gives the bytes of the optimizer's state for an image of so many bytes
    after so many steps. `resident` is the resident memory of the process with the backend open; None on a device with
    memory of its own, where neither framework nor pictures count. `transient` are the bytes needed for a moment to
    resize and measure the largest picture. `dtype_ratio` is the size of an activation, as a share of float32.
    """

    model: MemoryModel
    style: Collection[Layer]
    compared: Collection[Layer]
    pictures: int
    state_bytes: Callable[[int, int], int]
    resident: int | None
    dtype_ratio: float = 1.0
    copies: Mapping[Layer, float] = field(default_factory=dict)
    masked: int = 0
    transient: int = 0

    @property
    def layers(self) -> list[Layer]:
        """Every layer looked at, once."""
        return list(dict.fromkeys([*self.style, *self.compared]))

    def memory(self, stage: LevelPlan, networks: Collection[Outline], tile: int) -> int | None:
        """Bytes at the worst moment of a size, with so many networks open, in tiles of so many pixels (0: none)."""
        if stage.outline is None:
            return None
        resident = sum(network.weights for network in networks)
        if self.resident is not None:
            resident = max(self.model.base + round(WEIGHTS * resident) + self.pictures, self.resident)
        images = (KEPT + self.masked) * stage.image + self.state_bytes(stage.image, stage.steps)
        compared = sum(feature_bytes(stage.outline, layer, stage.shape) for layer in self.compared)
        level = images + compared + self._piece(stage, stage.outline, tile)
        if 0 < tile < max(stage.shape):
            level += self.model.tiles
        level += round(LEFT_OVER * level * sum((size / stage.size) ** 2 for size in stage.earlier))
        return resident + max(level, self.transient)

    def _piece(self, stage: LevelPlan, network: Outline, tile: int) -> int:
        """Bytes for the largest piece of the picture, or of a style, that is computed at once."""
        largest = max(self._grid(stage, tile).boxes(), key=prod)
        looked = [max(tile_grid(shape, tile, self.style).boxes(), key=prod) for shape in stage.style_shapes]
        looking = max((LOOKING * activations(network, self.style, shape) for shape in looked), default=0)
        computing = activations(network, self.layers, largest)
        comparing = (COMPARING - 1) * sum(feature_bytes(network, layer, largest) for layer in self.compared)
        copying = sum(count * feature_bytes(network, layer, largest) for layer, count in self.copies.items())
        passing = comparing + round(copying) + PASSING * prod(largest) * 3 * FLOAT
        return round(self.dtype_ratio * self.model.factor * max(computing, looking) + passing)

    def fitting(self, stage: LevelPlan, networks: Collection[Outline], room: int) -> int:
        """Return the largest tile for which `room` bytes are enough, 0 where the whole image fits.

        Tiles are as even as can be, so those that cut the longer side into 2, 3, 4, … are all there are to choose from.
        """
        longest = max(stage.shape)
        least = min(2 * SMALLEST, longest)
        parts = range(2, max(2, longest // SMALLEST) + 1)
        sides = [0, *(-(-longest // count) for count in parts)]
        if (self.memory(stage, networks, sides[-1]) or 0) > room:
            return least  # nor do any of the others fit: a huge picture has thousands
        needs = ((side, self.memory(stage, networks, side)) for side in sides)
        return next((side for side, need in needs if need is None or need <= room), least)

    def seconds(self, stage: LevelPlan, timing: Timing) -> float:
        """How long a size takes, going by evaluations of the same network that were timed."""
        tiles = self._grid(stage, stage.tile)
        passes = 1.0 if len(tiles) == 1 else 1.5 * len(tiles)
        per_step, once = (timing.fixed * passes + timing.rate * operations for operations in self.operations(stage))
        images = UPDATES + PER_STATE * self.state_bytes(stage.image, -(-stage.steps // 2)) / stage.image
        update = images * stage.image * timing.seconds_per_byte
        return (stage.steps + 1) * per_step + stage.steps * update + once + tiles.kinds * timing.overhead

    def operations(self, stage: LevelPlan) -> tuple[float, float]:
        """Operations of an evaluation, and of the targets; pixels stand for them where the network is unknown."""
        if stage.outline is None:
            return float(prod(stage.shape)), sum(map(prod, [stage.shape, *stage.style_shapes])) / 2
        per_step = evaluation(stage.outline, self.layers, self.style, self._grid(stage, stage.tile))
        targets = sum(forward(stage.outline, self.style, shape) for shape in stage.style_shapes)
        return per_step, targets + forward(stage.outline, self.compared, stage.shape)

    def _grid(self, stage: LevelPlan, tile: int) -> Grid:
        return tile_grid(stage.shape, tile, self.layers)

    def estimate(self, stages: Sequence[LevelPlan], timings: Mapping[str, Timing], start: float) -> Estimate:
        """All sizes together; `timings` by the name of the weights, those that could be taken."""
        networks = {stage.weights: stage.outline for stage in stages if stage.outline is not None}.values()
        parts = [
            LevelEstimate(
                stage.size,
                stage.steps,
                stage.tile,
                stage.weights,
                self.seconds(stage, timings[stage.weights]) if stage.weights in timings else None,
                self.memory(stage, networks, stage.tile),
                None if stage.outline is None else self.operations(stage)[0],
            )
            for stage in stages
        ]
        return Estimate(parts, start, self.model == MemoryModel())
