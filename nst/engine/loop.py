"""The loop: sizes from coarse to fine, steps at each, and never a dead end.

The engine receives objects, never names: a backend, losses already at hand, an optimizer, pictures. It owns stopping,
the best image so far, the rescue from a loss that is not finite, and telling the caller how it goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.engine.descent import EMA, Descent
from nst.engine.objective import AutoTiledObjective
from nst.engine.out_of_memory import memory_errors
from nst.engine.problem import Problem, build_level
from nst.engine.snapshot import Snapshot
from nst.images import stretch
from nst.protocols import Array, Evaluation, Iterate, Objective, Pixels, State


@dataclass(frozen=True)
class Progress:
    """One step, as `on_iterate` sees it.

    `step` of `steps` counts over all sizes, `size` is the long side in pixels, `loss` and `terms` belong to the image
    that `pixels()` returns, `seconds` is what this step took. `snapshot()`, now or later, is all that a run needs to go
    on from this step. `note` says what went wrong on the way to it, if anything did. `left` are the steps yet to be
    taken at this size.
    """

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    pixels: Callable[[], Pixels]
    snapshot: Callable[[], Snapshot]
    note: str = ""
    left: int = 0


@dataclass
class Run:
    """What a run has come to so far. `stopped` is "finished", "interrupted" or "diverged".

    `state` is the optimizer's at the end of a size, on the host, where it is to be carried to the next. `tile` is the
    side of the tiles that want of memory has led to, 0 where there was none.
    """

    pixels: Pixels
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: str = "finished"
    state: Mapping[str, Any] | None = None
    tile: int = 0


OnIterate = Callable[[Progress], None]


class Stop(Exception):  # noqa: N818 - a request, not an error
    """Request from an `on_iterate` callback to end the run after this step, as "interrupted" with the best image."""


def run(problem: Problem, on_iterate: OnIterate | None = None, resume: Snapshot | None = None) -> Run:
    """Optimize at each size in turn, each starting from the enlarged result of the last.

    `resume` is an earlier run's snapshot: the steps that follow are those that would have followed. Ctrl-C, or a `Stop`
    raised by `on_iterate`, returns the best image so far as "interrupted". Ctrl-C before the first step is raised.
    Raises `NstError` when the loss is not finite at the start.
    """
    outcome = Run(problem.start)
    if resume is not None:
        best = problem.canvas(problem.levels[resume.level]).trim(resume.best)
        outcome = Run(best, list(resume.history), list(resume.notes))
    try:
        for index in range(resume.level if resume else 0, len(problem.levels)):
            with memory_errors(problem.levels[index].backend):
                LevelRun(problem, index, outcome, resume).run(on_iterate)
            resume = None
            if outcome.stopped != "finished":
                break
    except (KeyboardInterrupt, Stop):
        if not outcome.history:
            raise
        outcome.stopped = "interrupted"
    return outcome


class LevelRun:
    """The part of a run at one size. It leaves its best image, or the mean, in `outcome`, whatever ends it."""

    def __init__(self, problem: Problem, index: int, outcome: Run, resume: Snapshot | None) -> None:
        self._problem, self._index, self._outcome = problem, index, outcome
        self._level = problem.levels[index]
        self._backend = self._level.backend
        self._canvas = problem.canvas(self._level)
        self._tile = resume.tile if resume else self._planned_tile()
        self._taken = 0 if resume is None else resume.taken
        self._start = self._canvas.spread(outcome.pixels) if resume is None or resume.start is None else resume.start
        self._mean = self._resumed_mean(resume)
        self._objective = self._first_objective()
        self._descent = self._resumed_descent(resume)

    def _planned_tile(self) -> int | None:
        """Return the tile size to start with, not larger than the tile size that fitted at earlier sizes."""
        tile, most = self._level.tile if self._problem.tile == 0 else self._problem.tile, self._outcome.tile
        return tile if tile is None or not most else min(tile or most, most)

    def _first_objective(self) -> Objective:
        build = partial(build_level, self._problem, self._level, image=self._start if self._index else None)
        uncut = any(use.whole and use.weight for use in self._problem.style)
        if self._tile is None or uncut:
            return build(self._tile or 0)
        return AutoTiledObjective(build, self._tile, max(self._canvas.shape), self._note, self._backend)

    def _note(self, what: str) -> None:
        self._descent.notes.append(what)

    def _resumed_mean(self, resume: Snapshot | None) -> EMA:
        if resume is None or resume.mean is None:
            return EMA(self._problem.average)
        return EMA(self._problem.average, self._placed(resume.mean), resume.mean_weight)

    def _resumed_descent(self, resume: Snapshot | None) -> Descent:
        parts = (self._problem.optimizer, self._objective, self._problem.optimizer_options, self._problem.until)
        if resume is None:
            return Descent(*parts, state=self._carried())
        losses = [row["loss"] for row in resume.history[len(resume.history) - resume.taken :]]
        state = {name: self._placed(value) for name, value in resume.state.items()}
        image, best = self._placed(resume.image), self._placed(resume.best)
        good = Iterate(image, Evaluation(resume.history[-1]["loss"], {}, None), state)
        lowest = Iterate(best, Evaluation(resume.best_loss, {}, None), {})
        return Descent(*parts, good=good, best=lowest, scale=resume.scale, losses=losses)

    def _carried(self) -> State | None:
        """Return the optimizer's state of the last size, with its arrays resized to this size."""
        if self._outcome.state is None:
            return None
        return {
            name: self._placed(self._grown(value) if isinstance(value, np.ndarray) else value)
            for name, value in self._outcome.state.items()
        }

    def _grown(self, value: NDArray[Any]) -> NDArray[Any]:
        return self._canvas.mirrored(stretch(value, self._canvas.picture))  # type: ignore[no-any-return]

    def _host_state(self, state: State) -> dict[str, Any]:
        return {name: self._host(value) for name, value in state.items()}

    def _placed(self, value: Any) -> Any:
        """Move a value of a snapshot to the backend; arrays other than float32 stay in NumPy."""
        placed = isinstance(value, np.ndarray) and value.dtype == np.float32
        return self._backend.asarray(value) if placed else value

    def _host(self, value: Any) -> Any:
        """Copy a value of an iterate to the host; NumPy arrays keep their type."""
        return value if isinstance(value, int | float | np.ndarray) else self._backend.to_host(value)

    def run(self, on_iterate: OnIterate | None) -> None:
        """Take the level's steps, telling of each."""
        start = self._backend.asarray(self._start)
        before = time.perf_counter()
        try:
            for iterate in islice(self._descent.iterates(start), self._level.steps - self._taken):
                now = time.perf_counter()
                self._step(iterate, now - before, on_iterate)
                before = now
            self._remark()
        finally:
            self._end()

    def _step(self, iterate: Iterate, seconds: float, on_iterate: OnIterate | None) -> None:
        self._taken += 1
        if self._problem.average:
            self._mean.add(iterate.image)
        progress = self._progress(iterate, seconds)
        self._outcome.history.append(_row(progress))
        if on_iterate:
            on_iterate(progress)

    def _end(self) -> None:
        if self._descent.best is not None:
            result = self._mean.value if self._problem.average else self._descent.best.image
            self._outcome.pixels = self._shown(result)
        if self._problem.carries and self._descent.good is not None:
            state = self._host_state(self._descent.good.state).items()
            trim = self._canvas.trim
            self._outcome.state = {
                name: trim(value) if isinstance(value, np.ndarray) else value for name, value in state
            }
        if isinstance(self._objective, AutoTiledObjective) and self._objective.tile != self._planned_tile():
            self._outcome.tile = self._objective.tile
        self._outcome.notes.extend(self._descent.notes)
        if self._descent.gave_up:
            self._outcome.stopped = "diverged"

    def _remark(self) -> None:
        """Note why the steps ended early, if they did."""
        if self._taken < self._level.steps and not self._descent.gave_up:
            why = self._descent.settled() or "the optimizer found nothing better"
            steps = f"{self._taken} of {self._level.steps} steps"
            self._descent.notes.append(f"at {self._level.size} px {why} after {steps}")

    def _progress(self, iterate: Iterate, seconds: float) -> Progress:
        step = len(self._outcome.history) + 1
        return Progress(
            step=step,
            steps=step - self._taken + sum(level.steps for level in self._problem.levels[self._index :]),
            size=self._level.size,
            loss=iterate.evaluation.loss,
            terms=iterate.evaluation.terms,
            seconds=seconds,
            pixels=partial(self._shown, iterate.image),
            snapshot=partial(
                self._snapshot, iterate, self._descent.best or iterate, self._mean.total, step, self._rest()
            ),
            note=self._descent.news(),
            left=self._level.steps - self._taken,
        )

    def _shown(self, image: Array) -> Pixels:
        """Return the image without the rim, as `Pixels`."""
        return self._canvas.trim(self._backend.to_numpy(image))  # type: ignore[no-any-return]

    def _rest(self) -> dict[str, Any]:
        """Return the fields of a snapshot that are not images."""
        return {
            "level": self._index,
            "taken": self._taken,
            "scale": self._descent.scale,
            "mean_weight": self._mean.weight,
            "tile": self._objective.tile if isinstance(self._objective, AutoTiledObjective) else self._tile,
            "notes": [*self._outcome.notes, *self._descent.notes],
        }

    def _snapshot(self, iterate: Iterate, best: Iterate, total: Array, steps: int, rest: Mapping[str, Any]) -> Snapshot:
        """Return a snapshot of the run after an iterate, with the optimizer's state if a later step needs it."""
        last = self._index + 1 == len(self._problem.levels)
        needed = rest["taken"] < self._level.steps or (self._problem.carries and not last)
        return Snapshot(
            image=self._host(iterate.image),
            state=self._host_state(iterate.state) if needed else {},
            best=self._host(best.image),
            best_loss=best.evaluation.loss,
            mean=self._host(total) if self._problem.average else None,
            start=self._start if self._index and self._problem.matched else None,
            history=self._outcome.history[:steps],
            **rest,
        )


def _row(progress: Progress) -> dict[str, Any]:
    facts = {"step": progress.step, "size": progress.size, "loss": progress.loss}
    return {**facts, "terms": dict(progress.terms), "seconds": progress.seconds}
