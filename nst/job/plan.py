"""What a job expects of itself once its backends are open: which tiles each size needs, and what the run will take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from nst.engine.bleed import BleedCanvas
from nst.engine.out_of_memory import memory_errors
from nst.engine.problem import Level, Problem
from nst.estimate.benchmark import clock, seconds_per_byte
from nst.estimate.flops import Outline, Size
from nst.estimate.memory import available_memory, resident_memory
from nst.estimate.model import MARGIN, WEIGHING, Estimate, Estimator, LevelPlan, Timing, line, unknown
from nst.images import fit
from nst.job.backends import Opened
from nst.job.losses import Used, weighted_losses
from nst.job.validation import Sized
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.recipe import Recipe
from nst.specs import BackendSpec, OptimizerSpec, resolve
from nst.vgg.architecture import smallest_size

PROBES = (128, 181, 256, 362, 512)
"""Long sides in pixels at which an evaluation may be timed: the larger, the more like those of the run."""

COST = 5  # evaluations that it takes to time one
SHARE = 0.05  # of a run that may go into timing one that is larger than the first


@dataclass(frozen=True)
class RunPlan:
    """The sizes of a run with the tiles to begin with, and what is the same at all of them.

    `estimator` is None for a network that paints in one pass, of which nothing is known. `opened` are the backends by
    the name of their weights, `works` what is painted like. `notes` say which sizes are cut for want of memory.
    """

    estimator: Estimator | None
    stages: Sequence[LevelPlan]
    opened: Mapping[str, Opened]
    works: Sequence[Sized] = ()
    notes: Sequence[str] = ()

    @property
    def tiles(self) -> list[int]:
        """The side of the tiles to begin with at each size, 0 for none."""
        return [stage.tile for stage in self.stages]

    def after(self, level: int, taken: int) -> RunPlan:
        """That of what is left after so many sizes and so many steps of the next."""
        first, *rest = self.stages[level:]
        return replace(self, stages=[replace(first, steps=max(0, first.steps - taken)), *rest])

    def tiled(self, room: int) -> RunPlan:
        """The same, sizes that need more than `room` bytes cut into tiles that do not."""
        assert self.estimator is not None
        tiles = [self.estimator.fitting(stage, self._networks(), room) for stage in self.stages]
        stages = [replace(stage, tile=tile) for stage, tile in zip(self.stages, tiles, strict=True)]
        return replace(self, stages=stages, notes=[self._told(stage, room) for stage in stages if stage.tile])

    def room(self) -> int | None:
        """Bytes the run may take altogether, what it holds already included; None where nothing tells."""
        resident = self.estimator.resident if self.estimator else None
        free = _free(self.opened[self.stages[-1].weights].backend) if resident is None else available_memory()
        return None if free is None else round(MARGIN * free) + (resident or 0)

    def _told(self, stage: LevelPlan, room: int) -> str:
        assert self.estimator is not None
        need = self.estimator.memory(stage, self._networks(), 0) or 0
        have = f"{need / 1e9:.1f} GB, and {room / 1e9:.1f} are to be had"
        return f"{stage.size} px at once would take {have}: in tiles of {stage.tile} px"

    def _networks(self) -> list[Outline]:
        return [each.outline for each in self.opened.values() if each.outline is not None]

    def estimate(self, task: Callable[[], Problem], start: float) -> Estimate:
        """What the run will take, an evaluation of each network being timed for it; of a run without steps nothing."""
        if self.estimator is None or not any(stage.steps for stage in self.stages):
            return unknown(self.stages, start)
        given, names = task(), dict.fromkeys(stage.weights for stage in self.stages)
        timings = {name: timing for name in names if (timing := self._timing(given, name)) is not None}
        return self.estimator.estimate(self.stages, timings, start)

    def _timing(self, task: Problem, weights: str) -> Timing | None:
        """None where not even the probe fits into memory."""
        assert self.estimator is not None
        backend, work = self.opened[weights].backend, self.estimator.work
        stages = self._probes([stage for stage in self.stages if stage.weights == weights][-1])
        try:
            with memory_errors(backend):
                clocked = [clock(task, Level(stage.size, 1, backend)) for stage in stages]
                per_byte = seconds_per_byte(backend, self.stages[-1].shape)
        except MemoryError:
            return None
        timed = zip(stages, clocked, strict=True)
        fixed, rate = line([(work(stage)[0], each.next) for stage, each in timed])
        overhead = clocked[-1].first - clocked[-1].next - fixed - rate * work(stages[-1])[1]
        return Timing(fixed, rate, max(0.0, overhead), per_byte)

    def _probes(self, last: LevelPlan) -> list[LevelPlan]:
        """One or two stages to time: none too thin for the layers, none beyond the run's last, none too costly."""
        assert self.estimator is not None
        work, thinnest = self.estimator.work, self._thinnest(last.canvas.picture)
        sizes = [size for size in PROBES if thinnest <= size <= last.size] or [min(last.size, max(thinnest, PROBES[0]))]
        coarsest, *finer = (self._resized(last, size) for size in sizes)
        share = SHARE * sum(work(stage)[0] * stage.steps for stage in self.stages)
        return [coarsest, *[stage for stage in finer if COST * work(stage)[0] <= share][-1:]]

    def _thinnest(self, content: Size) -> int:
        """The least size at which neither the content nor a style is too thin for its layers."""
        assert self.estimator is not None
        styles = (smallest_size(work.shape, self.estimator.style) / work.scale for work in self.works)
        return max([smallest_size(content, self.estimator.layers), *map(math.ceil, styles)])

    def _resized(self, stage: LevelPlan, size: int) -> LevelPlan:
        canvas = BleedCanvas.around(fit(*stage.canvas.picture, size), stage.canvas.bleed)
        return replace(stage, size=size, canvas=canvas, works=_shrunk(self.works, size), tile=0)


def _shrunk(works: Sequence[Sized], size: int) -> list[Size]:
    """(height, width) of works beside a picture of this long side; none is enlarged."""
    return [fit(*work.shape, round(min(size * work.scale, max(work.shape)))) for work in works]


def _free(backend: Any) -> int | None:
    """What a device of its own can hold in all; None where the backend does not tell."""
    return backend.free_memory() if hasattr(backend, "free_memory") else None


def plan_run(
    recipe: Recipe,
    plugins: Plugins,
    spec: BackendSpec,
    pictures: Sequence[Sized],
    levels: Sequence[tuple[int, int, str]],
    opened: Mapping[str, Opened],
    masked: Sequence[float] = (),
) -> RunPlan:
    """That of a job: the content and then the styles' works as `pictures`; sizes, steps and the weights' names.

    `masked` are the regions that have a mask, each as the part of the picture that is looked at for it.
    """
    tile = int(recipe.tile) if recipe.tile.isdigit() else 0
    stages = [_stage(pictures, *level, opened, tile, recipe.bleed) for level in levels]
    if spec.kind == "image":
        return RunPlan(None, stages, opened)
    used = [(loss, use) for loss, use in weighted_losses(recipe, plugins) if use.weight]
    backend = opened[stages[-1].weights].backend
    optimizer: OptimizerSpec = plugins.find("optimizer", recipe.optimizer)
    estimator = Estimator(
        model=spec.memory,
        style=_layers(used, "style"),
        compared=[layer for loss, use in used if loss.role == "content" for layer in use.layers],
        pictures=sum(math.prod(picture.shape) * 12 for picture in pictures),
        held=partial(_held, optimizer, read_options(optimizer, recipe.optimizer_options)),
        resident=resident_memory() or 0 if backend.peak_memory() is None else None,
        narrow=0.5 if "16" in backend.precision else 1.0,
        copies=_copies(used, masked),
        masked=len(masked),
    )
    found = RunPlan(estimator, stages, opened, pictures[1:])
    free = recipe.tile == "auto" and spec.architecture and not any(use.whole for _, use in used)
    room = found.room() if free else None
    return found if room is None else found.tiled(room)


def _stage(
    pictures: Sequence[Sized], size: int, steps: int, weights: str, opened: Mapping[str, Opened], tile: int, bleed: int
) -> LevelPlan:
    content, *works = pictures
    canvas = BleedCanvas.around(fit(*content.shape, size), bleed)
    return LevelPlan(size, canvas, steps, weights, opened[weights].outline, _shrunk(works, size), tile)


def _layers(used: Used, role: str) -> list[str]:
    """The layers that the losses of a role look at, once."""
    return list(dict.fromkeys(layer for spec, use in used if spec.role == role for layer in use.layers))


def _copies(used: Used, masked: Sequence[float]) -> dict[str, float]:
    """How many times the losses hold a layer's features; those of style do so for each region, within its bounds."""
    found: dict[str, float] = {}
    for spec, use in used:
        each = spec.copies * (sum(masked) or 1) + WEIGHING * sum(masked) if spec.role == "style" else spec.copies
        found |= {layer: found.get(layer, 0.0) + each for layer in use.layers}
    return found


def _held(spec: OptimizerSpec, options: Mapping[str, Any], image: int, steps: int) -> int:
    """Bytes of an optimizer's state; two images for one that does not say, or cannot."""
    try:
        return int(resolve(spec.held)(image, steps, **options))
    except Exception:  # a plugin's function may raise anything
        return 2 * image
