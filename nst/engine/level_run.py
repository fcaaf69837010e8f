"""The steps at one size of a run."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.engine.descent import EMA, Descent, DescentStart
from nst.engine.objective import AutoTiledObjective
from nst.engine.problem import Problem, build_level
from nst.engine.snapshot import Snapshot
from nst.images import stretch
from nst.protocols import Array, Evaluation, Iterate, Objective, Pixels, State


@dataclass(frozen=True)
class Progress:
    """One step, the argument of `on_iterate`.

    `step` of `steps` counts over all sizes. `size` is the long side in pixels. `loss` and `terms` belong to the image
    that `pixels()` returns. `seconds` is the duration of this step. `snapshot()` returns a snapshot from which a run
    can be resumed after this step; it may be called later. `notes` are the messages since the last step. `left` is the
    number of steps left at this size.
    """

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    pixels: Callable[[], Pixels]
    snapshot: Callable[[], Snapshot]
    notes: tuple[str, ...] = ()
    left: int = 0


OnIterate = Callable[[Progress], None]


@dataclass
class Optimization:
    """The result of the optimization so far. `stopped` is "finished", "interrupted" or "diverged".

    `state` is the optimizer's state after a size, on the host, if the next size starts from it. `tile` is the tile size
    chosen after running out of memory, or 0.
    """

    pixels: Pixels
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: str = "finished"
    state: Mapping[str, Any] | None = None
    tile: int = 0


class LevelRun:
    """The part of a run at one size; its result is stored in `optimization`."""

    def __init__(self, problem: Problem, index: int, optimization: Optimization, resume: Snapshot | None) -> None:
        self._problem, self._index, self._optimization = problem, index, optimization
        self._level = problem.levels[index]
        self._backend = self._level.backend
        self._canvas = problem.canvas(self._level)
        self._tile = resume.tile if resume else self._planned_tile()
        self._taken = 0 if resume is None else resume.taken
        self._start = self._first_image(resume)
        self._mean = self._first_mean(resume)
        self._notes: list[str] = []
        self._objective = self._first_objective()
        optimizer = partial(problem.optimizer, **problem.optimizer_options)
        start = self._carried() if resume is None else self._resumed(resume)
        self._descent = Descent(optimizer, self._objective, problem.until, start, self._notes)

    def take_steps(self, on_iterate: OnIterate | None) -> None:
        """Take the steps of this size, and store the result, also after an exception of `on_iterate`."""
        start = self._backend.asarray(self._start)
        before = time.perf_counter()
        try:
            for iterate in islice(self._descent.iterates(start), self._level.steps - self._taken):
                now = time.perf_counter()
                self._taken += 1
                if self._problem.average:
                    self._mean.add(iterate.image)
                progress = self._progress(iterate, now - before)
                self._optimization.history.append(_row(progress))
                if on_iterate:
                    on_iterate(progress)
                before = now
            self._note_early_end()
        finally:
            self._finish()

    def _note_early_end(self) -> None:
        if self._taken < self._level.steps and not self._descent.gave_up:
            reason = self._descent.settled() or "the optimizer found nothing better"
            steps = f"{self._taken} of {self._level.steps} steps"
            self._notes.append(f"at {self._level.size} px {reason} after {steps}")

    def _finish(self) -> None:
        """Store the best image, or the mean, and the optimizer's state for the next size."""
        optimization, descent = self._optimization, self._descent
        if descent.best is not None:
            optimization.pixels = self._shown(self._mean.value if self._problem.average else descent.best.image)
        if self._problem.carries and descent.good is not None:
            state, trim = self._host_state(descent.good.state), self._canvas.trim
            optimization.state = state | {name: trim(v) for name, v in state.items() if isinstance(v, np.ndarray)}
        if isinstance(self._objective, AutoTiledObjective) and self._objective.tile != self._planned_tile():
            optimization.tile = self._objective.tile
        optimization.notes.extend(self._notes)
        if descent.gave_up:
            optimization.stopped = "diverged"

    def _planned_tile(self) -> int | None:
        """Return the tile size to start with, not larger than the tile size that fitted at earlier sizes."""
        tile, most = self._level.tile if self._problem.tile == 0 else self._problem.tile, self._optimization.tile
        return tile if tile is None or not most else min(tile or most, most)

    def _first_objective(self) -> Objective:
        build = partial(build_level, self._problem, self._level, image=self._start if self._index else None)
        uncut = any(use.whole and use.weight for use in self._problem.style)
        if self._tile is None or uncut:
            return build(self._tile or 0)
        # `tell` is the list's method: one of this object's would close a cycle around all tensors of the run.
        return AutoTiledObjective(build, self._tile, max(self._canvas.shape), self._notes.append, self._backend)

    def _first_image(self, resume: Snapshot | None) -> Pixels:
        """Return the image that this size starts from, which a matched loss is matched on."""
        if resume is not None and resume.start is not None:
            return resume.start
        return self._canvas.spread(self._optimization.pixels)  # type: ignore[no-any-return]

    def _first_mean(self, resume: Snapshot | None) -> EMA:
        if resume is None or resume.mean is None:
            return EMA(self._problem.average)
        return EMA(self._problem.average, self._on_backend(resume.mean), resume.mean_weight)

    def _resumed(self, resume: Snapshot) -> DescentStart:
        losses = [row["loss"] for row in resume.history[len(resume.history) - resume.taken :]]
        state = {name: self._on_backend(value) for name, value in resume.state.items()}
        image, best = self._on_backend(resume.image), self._on_backend(resume.best)
        return DescentStart(
            good=Iterate(image, Evaluation(resume.history[-1]["loss"], {}, None), state),
            best=Iterate(best, Evaluation(resume.best_loss, {}, None), {}),
            scale=resume.scale,
            losses=losses,
        )

    def _carried(self) -> DescentStart:
        """Return a start with the optimizer's state of the last size, if any, its arrays resized to this size."""
        if self._optimization.state is None:
            return DescentStart()
        state = {
            name: self._on_backend(self._resized(value) if isinstance(value, np.ndarray) else value)
            for name, value in self._optimization.state.items()
        }
        return DescentStart(state=state)

    def _resized(self, array: NDArray[Any]) -> NDArray[Any]:
        return self._canvas.mirrored(stretch(array, self._canvas.picture))  # type: ignore[no-any-return]

    def _on_backend(self, value: Any) -> Any:
        """Move a value of a snapshot to the backend; arrays other than float32 stay in NumPy."""
        is_float32 = isinstance(value, np.ndarray) and value.dtype == np.float32
        return self._backend.asarray(value) if is_float32 else value

    def _on_host(self, value: Any) -> Any:
        """Copy a value of an iterate to the host; NumPy arrays keep their type."""
        return value if isinstance(value, int | float | np.ndarray) else self._backend.to_host(value)

    def _host_state(self, state: State) -> dict[str, Any]:
        return {name: self._on_host(value) for name, value in state.items()}

    def _shown(self, image: Array) -> Pixels:
        """Return the image without the rim, as `Pixels`."""
        return self._canvas.trim(self._backend.to_numpy(image))  # type: ignore[no-any-return]

    def _progress(self, iterate: Iterate, seconds: float) -> Progress:
        step, best = len(self._optimization.history) + 1, self._descent.best or iterate
        return Progress(
            step=step,
            steps=step - self._taken + sum(level.steps for level in self._problem.levels[self._index :]),
            size=self._level.size,
            loss=iterate.evaluation.loss,
            terms=iterate.evaluation.terms,
            seconds=seconds,
            pixels=partial(self._shown, iterate.image),
            snapshot=partial(self._snapshot, iterate, best, self._mean.total, step, self._snapshot_fields()),
            notes=self._descent.new_notes(),
            left=self._level.steps - self._taken,
        )

    def _snapshot_fields(self) -> dict[str, Any]:
        """Return the fields of a snapshot that are not images."""
        return {
            "level": self._index,
            "taken": self._taken,
            "scale": self._descent.scale,
            "mean_weight": self._mean.weight,
            "tile": self._objective.tile if isinstance(self._objective, AutoTiledObjective) else self._tile,
            "notes": [*self._optimization.notes, *self._notes],
        }

    def _snapshot(
        self, iterate: Iterate, best: Iterate, total: Array, steps: int, fields: Mapping[str, Any]
    ) -> Snapshot:
        """Return a snapshot of the run after an iterate, with the optimizer's state if a later step needs it."""
        last = self._index + 1 == len(self._problem.levels)
        needed = fields["taken"] < self._level.steps or (self._problem.carries and not last)
        return Snapshot(
            image=self._on_host(iterate.image),
            state=self._host_state(iterate.state) if needed else {},
            best=self._on_host(best.image),
            best_loss=best.evaluation.loss,
            mean=self._on_host(total) if self._problem.average else None,
            start=self._start if self._index and self._problem.matched else None,
            history=self._optimization.history[:steps],
            **fields,
        )


def _row(progress: Progress) -> dict[str, Any]:
    facts = {"step": progress.step, "size": progress.size, "loss": progress.loss}
    return {**facts, "terms": dict(progress.terms), "seconds": progress.seconds}
