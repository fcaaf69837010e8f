"""Plan a run once its backends are open: the tile size of each level, and the time and memory it needs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nst.engine.bleed import BleedCanvas
from nst.engine.out_of_memory import memory_errors
from nst.engine.problem import Level, Problem
from nst.engine.tiling import SMALLEST
from nst.estimate.benchmark import clock, seconds_per_byte
from nst.estimate.flops import Outline, Size
from nst.estimate.memory import available_memory, resident_memory
from nst.estimate.model import (
    CENTERING,
    MARGIN,
    RESIZING,
    WEIGHING,
    Estimate,
    Estimator,
    LevelPlan,
    Timing,
    line,
    unknown_estimate,
)
from nst.geometry import Layer, smallest_size
from nst.images import fit
from nst.job.backends import Opened
from nst.job.losses import Used, weighted_losses
from nst.job.validation import Sized
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.recipe import Recipe
from nst.specs import BackendSpec, OptimizerSpec, resolve

PROBES = (128, 181, 256, 362, 512)
"""Long sides in pixels at which an evaluation may be timed; larger ones predict the run better."""

COST = 5  # evaluations needed to time one
SHARE = 0.05  # largest share of a run's time for timing a second, larger size


@dataclass(frozen=True)
class PlanRequest:
    """The parts of a job that decide its plan.

    `images` are the content and the style images, `levels` the size, steps and weights of each level, `opened` the
    backends by the name of their weights, `masked` the areas of the masked regions as shares of the image.
    """

    recipe: Recipe
    plugins: Plugins
    spec: BackendSpec
    images: Sequence[Sized]
    levels: Sequence[tuple[int, int, str]]
    opened: Mapping[str, Opened]
    masked: Sequence[float]

    @property
    def tile(self) -> int:
        """The tile size named by the recipe, or 0."""
        return int(self.recipe.tile) if self.recipe.tile.isdigit() else 0

    def level_plans(self) -> list[LevelPlan]:
        """Return the plan of each level, with the tile size of the recipe."""
        content, *style_images = self.images
        canvases = [BleedCanvas.around(fit(*content.shape, size), self.recipe.bleed) for size, _, _ in self.levels]
        return [
            LevelPlan(
                size=size,
                canvas=canvas,
                steps=steps,
                weights=weights,
                outline=self.opened[weights].outline,
                style_shapes=_resized_shapes(style_images, size),
                tile=self.tile,
                earlier=[size for size, *_ in self.levels[:index]],
            )
            for index, ((size, steps, weights), canvas) in enumerate(zip(self.levels, canvases, strict=True))
        ]


@dataclass(frozen=True)
class RunPlan:
    """The levels of a run with their initial tile sizes.

    `estimator` is None for a one-pass backend, which has no model of time and memory. `opened` are the backends by the
    name of their weights, `style_images` the shapes of the style images. `notes` name the levels tiled to fit memory.
    With `may_tile` a run that memory is too short for goes on in smaller tiles.
    """

    estimator: Estimator | None
    levels: Sequence[LevelPlan]
    opened: Mapping[str, Opened]
    style_images: Sequence[Sized] = ()
    notes: Sequence[str] = ()
    may_tile: bool = False

    @property
    def tiles(self) -> list[int]:
        """The initial tile size at each level, 0 for no tiles."""
        return [level.tile for level in self.levels]

    def after(self, level: int, taken: int) -> RunPlan:
        """Return the plan of the remaining run after `level` levels and `taken` steps of the next."""
        first, *rest = self.levels[level:]
        return replace(self, levels=[replace(first, steps=max(0, first.steps - taken)), *rest])

    def tiled(self, room: int) -> RunPlan:
        """Return the plan with tiles at each level that needs more than `room` bytes."""
        assert self.estimator is not None
        tiles = [self.estimator.fitting(level, self._networks(), room) for level in self.levels]
        levels = [replace(level, tile=tile) for level, tile in zip(self.levels, tiles, strict=True)]
        return replace(self, levels=levels, notes=[self._tile_note(level, room) for level in levels if level.tile])

    def room(self) -> int | None:
        """Return the bytes that tiles are chosen for: most of those available, or None if unknown."""
        free, resident = self.free(), self._resident()
        return None if free is None else round(MARGIN * (free - resident)) + resident

    def free(self) -> int | None:
        """Return the bytes available to the run, including those in use already, or None if unknown."""
        on_device = self.estimator is None or self.estimator.resident is None
        free = _free(self.opened[self.levels[-1].weights].backend) if on_device else available_memory()
        return None if free is None else free + self._resident()

    def _resident(self) -> int:
        return (self.estimator.resident if self.estimator else None) or 0

    def least_tile(self, level: LevelPlan) -> int:
        """Return the smallest tile size that a level may be computed in, 0 for none."""
        return min(2 * SMALLEST, max(level.shape)) if self.may_tile else level.tile

    def least_memory(self, level: LevelPlan) -> int:
        """Return the bytes that a level needs in its smallest tiles; 0 if unknown."""
        assert self.estimator is not None
        return self.estimator.memory(level, self._networks(), self.least_tile(level)) or 0

    def last_at(self, size: int) -> LevelPlan:
        """Return the last level at another size, with the earlier ones in proportion."""
        last = self.levels[-1]
        earlier = [round(side * size / last.size) for side in last.earlier]
        return replace(self._resized(last, size), earlier=earlier, tile=last.tile)

    def _tile_note(self, level: LevelPlan, room: int) -> str:
        assert self.estimator is not None
        need = self.estimator.memory(level, self._networks(), 0) or 0
        memory = f"needs {need / 1e9:.1f} GB; {room / 1e9:.1f} GB is free"
        return f"{level.size} px {memory}, so tiles of {level.tile} px are used"

    def _networks(self) -> list[Outline]:
        return [network.outline for network in self.opened.values() if network.outline is not None]

    def estimate(self, problem: Callable[[], Problem], start: float) -> Estimate:
        """Estimate time and memory, after timing an evaluation of each network; a run without steps is not timed."""
        if self.estimator is None or not any(level.steps for level in self.levels):
            return unknown_estimate(self.levels, start)
        built, names = problem(), dict.fromkeys(level.weights for level in self.levels)
        timings = {name: timing for name in names if (timing := self._timing(built, name)) is not None}
        return self.estimator.estimate(self.levels, timings, start)

    def _timing(self, problem: Problem, weights: str) -> Timing | None:
        """Time an evaluation; None if the smallest one does not fit into memory."""
        assert self.estimator is not None
        backend, operations = self.opened[weights].backend, self.estimator.operations
        levels = self._probes([level for level in self.levels if level.weights == weights][-1])
        try:
            with memory_errors(backend):
                clocked = [clock(problem, Level(level.size, 1, backend)) for level in levels]
                per_byte = seconds_per_byte(backend, self.levels[-1].shape)
        except MemoryError:
            return None
        pairs = zip(levels, clocked, strict=True)
        fixed, rate = line([(operations(level)[0], times.next) for level, times in pairs])
        overhead = clocked[-1].first - clocked[-1].next - fixed - rate * operations(levels[-1])[1]
        return Timing(fixed, rate, max(0.0, overhead), per_byte)

    def _probes(self, last: LevelPlan) -> list[LevelPlan]:
        """Return one or two levels to time: large enough for the layers, at most the last size, and not too slow."""
        assert self.estimator is not None
        operations, smallest = self.estimator.operations, self._smallest_size(last.canvas.picture)
        sizes = [size for size in PROBES if smallest <= size <= last.size] or [min(last.size, max(smallest, PROBES[0]))]
        coarsest, *finer = (self._resized(last, size) for size in sizes)
        share = SHARE * sum(operations(level)[0] * level.steps for level in self.levels)
        return [coarsest, *[level for level in finer if COST * operations(level)[0] <= share][-1:]]

    def _smallest_size(self, content: Size) -> int:
        """Return the smallest size at which content and style images are large enough for their layers."""
        assert self.estimator is not None
        styles = (smallest_size(image.shape, self.estimator.style) / image.scale for image in self.style_images)
        return max([smallest_size(content, self.estimator.layers), *map(math.ceil, styles)])

    def _resized(self, level: LevelPlan, size: int) -> LevelPlan:
        canvas = BleedCanvas.around(fit(*level.canvas.picture, size), level.canvas.bleed)
        return replace(level, size=size, canvas=canvas, style_shapes=_resized_shapes(self.style_images, size), tile=0)


def _resized_shapes(style_images: Sequence[Sized], size: int) -> list[Size]:
    """Return (height, width) of the style images at a level of this size; images are never enlarged."""
    return [fit(*image.shape, round(min(size * image.scale, max(image.shape)))) for image in style_images]


def _free(backend: Any) -> int | None:
    """Return the free bytes of the backend's device, or None if unknown."""
    return backend.free_memory() if hasattr(backend, "free_memory") else None


def plan_run(request: PlanRequest) -> RunPlan:
    """Return the plan of a job: its levels, in tiles where memory is short, and the model of time and memory."""
    recipe, plugins, spec, opened = request.recipe, request.plugins, request.spec, request.opened
    levels = request.level_plans()
    if spec.kind == "image":
        return RunPlan(None, levels, opened)
    used = [(loss, use) for loss, use in weighted_losses(recipe, plugins) if use.weight]
    backend = opened[levels[-1].weights].backend
    optimizer: OptimizerSpec = plugins.find("optimizer", recipe.optimizer)
    on_host = backend.peak_memory() is None
    estimator = Estimator(
        model=spec.memory,
        style=_layers(used, "style"),
        compared=[layer for loss, use in used if loss.role == "content" or use.matched for layer in use.layers],
        pictures=sum(math.prod(image.shape) * 12 for image in request.images),
        state_bytes=partial(_state_bytes, optimizer, read_options(optimizer, recipe.optimizer_options)),
        resident=resident_memory() or 0 if on_host else None,
        dtype_ratio=0.5 if "16" in backend.precision else 1.0,
        copies=_copies(used, request.masked),
        masked=len(request.masked),
        transient=_transient([math.prod(image.shape) for image in request.images]) if on_host else 0,
    )
    may_tile = recipe.tile != "off" and not any(use.whole for _, use in used)
    untiled = RunPlan(estimator, levels, opened, request.images[1:], may_tile=may_tile)
    room = untiled.room() if may_tile and recipe.tile == "auto" else None
    return untiled if room is None else untiled.tiled(room)


def _transient(pixels: Sequence[int]) -> int:
    """Return the bytes that the content's resizing or a style's statistics take for a moment, by pixels of each."""
    content, *style_images = pixels
    return max([RESIZING * content, *(CENTERING * count for count in style_images)])


def _layers(used: Used, role: str) -> list[Layer]:
    """Return the layers of the losses of a role, each once."""
    return list(dict.fromkeys(layer for spec, use in used if spec.role == role for layer in use.layers))


def _copies(used: Used, masked: Sequence[float]) -> dict[Layer, float]:
    """Return how many copies of each layer's features the losses keep; style losses keep one per masked region."""
    copies: dict[Layer, float] = {}
    for spec, use in used:
        number = spec.copies * (sum(masked) or 1) + WEIGHING * sum(masked) if spec.role == "style" else spec.copies
        copies |= {layer: copies.get(layer, 0.0) + number for layer in use.layers}
    return copies


def _state_bytes(spec: OptimizerSpec, options: Mapping[str, Any], image: int, steps: int) -> int:
    """Return the bytes of an optimizer's state; two images if its plugin gives no number."""
    try:
        return int(resolve(spec.state_bytes)(image, steps, **options))
    except Exception:  # a plugin's function may raise anything
        return 2 * image
