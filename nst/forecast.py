"""What a job expects of itself once its backends are open: which tiles each size needs, and what the run will take."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from nst.architectures import smallest_side
from nst.cost import Outline, Size
from nst.engine import Level, Task
from nst.estimate import MARGIN, Estimate, Estimator, Stage, Timing
from nst.images import fit
from nst.memory import available_memory
from nst.specs import OptimizerSpec, resolve
from nst.timing import clock, seconds_per_byte
from nst.uses import Used

PROBES = (128, 181, 256, 362, 512)
"""Long sides in pixels at which an evaluation may be timed: the larger, the more like those of the run."""

COST = 3  # evaluations that it takes to time one
SHARE = 0.04  # of a run that may go into that


@dataclass(frozen=True)
class Forecast:
    """The sizes of a run and what is the same at all of them; `backends` and their networks by the name of the weights.

    `auto` lets sizes that do not fit into memory begin in tiles.
    """

    estimator: Estimator
    stages: Sequence[Stage]
    backends: Mapping[str, Any]
    auto: bool

    def tiled(self) -> tuple[list[Stage], list[str]]:
        """The sizes with the tiles to begin with, and a line about each size that is cut for want of memory."""
        room = self._room() if self.auto else None
        if room is None:
            return list(self.stages), []
        tiles = [self.estimator.fitting(stage, self._networks(), room) for stage in self.stages]
        stages = [replace(stage, tile=tile) for stage, tile in zip(self.stages, tiles, strict=True)]
        return stages, [self._told(stage, room) for stage in stages if stage.tile]

    def _room(self) -> int | None:
        """Bytes the run may take altogether, what it holds already included."""
        resident = self.estimator.resident
        free = self._free() if resident is None else available_memory()
        return None if free is None else round(MARGIN * free) + (resident or 0)

    def _free(self) -> int | None:
        """What is free on a device of its own, and what the backend holds of it; None where it does not tell."""
        backend = self.backends[self.stages[-1].weights]
        return backend.free_memory() if hasattr(backend, "free_memory") else None

    def _told(self, stage: Stage, room: int) -> str:
        need = self.estimator.memory(stage, self._networks(), 0) or 0
        have = f"{need / 1e9:.1f} GB, and {room / 1e9:.1f} are to be had"
        return f"{stage.size} px at once would take {have}: in tiles of {stage.tile} px"

    def _networks(self) -> list[Outline]:
        return list({stage.weights: stage.outline for stage in self.stages if stage.outline is not None}.values())

    def estimate(self, task: Task, start: float) -> Estimate:
        """What the run will take, an evaluation of each network being timed for it."""
        stages, _ = self.tiled()
        timings = {name: timing for name in self.backends if (timing := self._timing(task, stages, name)) is not None}
        return self.estimator.estimate(stages, timings, start)

    def _timing(self, task: Task, stages: Sequence[Stage], weights: str) -> Timing | None:
        """None where not even the probe fits into memory."""
        coarsest, *finer = self._probes([stage for stage in stages if stage.weights == weights])
        total = sum(self.estimator.work(stage)[0] * stage.steps for stage in stages)
        cheap = [stage for stage in finer if COST * self.estimator.work(stage)[0] <= SHARE * total]
        stage, backend = (cheap or [coarsest])[-1], self.backends[weights]
        try:
            clocked = clock(task, *(Level(size, 1, backend) for size in (coarsest.size, stage.size)))
            per_byte = seconds_per_byte(backend, stages[-1].shape)
        except MemoryError:
            return None
        each, once = self.estimator.work(stage)
        overhead = clocked.first - clocked.next * (1 + once / each)
        return Timing(clocked.next, each, max(0.0, overhead), per_byte)

    def _probes(self, stages: Sequence[Stage]) -> list[Stage]:
        """Stages as small as evaluations are timed at: none too thin for the layers, none beyond the run's last."""
        last = stages[-1]
        need = math.ceil(smallest_side(self.estimator.layers) * max(last.shape) / min(last.shape))
        sizes = [size for size in PROBES if need <= size <= last.size] or [min(last.size, max(need, PROBES[0]))]
        return [_resized(last, size) for size in sizes]


def _resized(stage: Stage, size: int) -> Stage:
    works = [fit(*work, max(1, round(max(work) * size / stage.size))) for work in stage.works]
    return replace(stage, size=size, shape=fit(*stage.shape, size), works=works, tile=0)


def layers_of(used: Iterable[Used], role: str) -> list[str]:
    """The layers that the losses of a role look at, once."""
    return list(dict.fromkeys(layer for spec, use in used if spec.role == role for layer in use.layers))


def held(spec: OptimizerSpec, options: Mapping[str, Any], image: int, steps: int) -> int:
    """Bytes of an optimizer's state; two images for one that does not say, or cannot."""
    try:
        return int(resolve(spec.held)(image, steps, **options))
    except Exception:  # a plugin's function may raise anything
        return 2 * image


def works_at(size: int, works: Sequence[tuple[Size, float]]) -> list[Size]:
    """(height, width) of the styles' works at a size; each comes with its own and its scale."""
    return [fit(*shape, round(min(size * scale, max(shape)))) for shape, scale in works]
