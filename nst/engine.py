"""The loop: sizes from coarse to fine, steps at each, and never a dead end.

The engine receives objects, never names: a backend, losses already at hand, an optimizer, pictures. It owns stopping,
the best image so far, the rescue from a loss that is not finite, and telling the caller how it goes.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from nst.errors import NstError
from nst.images import fit, resize
from nst.objective import LossUse, Term, build_objective, pointwise_terms, style_terms
from nst.protocols import Array, FeatureBackend, Iterate, Objective, Optimizer, Pixels

MAX_RESCUES = 10  # halvings of the step before giving up: a thousandth of the step that failed


@dataclass(frozen=True)
class Task:
    """Everything one picture needs, as objects.

    `sizes` are long sides in pixels, coarse to fine, `steps` one number for each. `start` is the first image.
    `blend` holds the styles' shares, summing to 1; `style_scale` is the styles' size relative to the picture's.
    """

    backend: FeatureBackend
    content: Pixels
    styles: Sequence[Pixels]
    start: Pixels
    style: LossUse
    pointwise: Sequence[LossUse]
    optimizer: Optimizer
    optimizer_options: Mapping[str, Any]
    sizes: Sequence[int]
    steps: Sequence[int]
    blend: Sequence[float]
    style_scale: float = 1.0


@dataclass(frozen=True)
class Progress:
    """One step, as `on_iterate` sees it.

    `step` of `steps` counts over all sizes, `size` is the long side in pixels, `loss` and `terms` belong to the image
    that `pixels()` returns, `seconds` is what this step took. `note` says what went wrong on the way to it, if
    anything did.
    """

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    pixels: Callable[[], Pixels]
    note: str = ""


@dataclass
class Run:
    """What a run has come to so far. `stopped` is "finished", "interrupted" or "diverged"."""

    pixels: Pixels
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: str = "finished"


OnIterate = Callable[[Progress], None]


def run(task: Task, on_iterate: OnIterate | None = None) -> Run:
    """Optimize at each size in turn, each starting from the enlarged result of the last.

    Ctrl-C returns the best image so far as "interrupted"; before the first step it is raised. Raises `NstError` when
    the loss is not finite at the start.
    """
    outcome = Run(task.start)
    try:
        for size, steps in zip(task.sizes, task.steps, strict=True):
            _run_size(task, size, steps, outcome, on_iterate)
            if outcome.stopped != "finished":
                break
    except KeyboardInterrupt:
        if not outcome.history:
            raise
        outcome.stopped = "interrupted"
    return outcome


def _run_size(task: Task, size: int, steps: int, outcome: Run, on_iterate: OnIterate | None) -> None:
    """Leaves the best image of this size in `outcome`, whatever ends it."""
    backend = task.backend
    height, width = task.content.shape[:2]
    shape = fit(height, width, size)
    objective = build_objective(backend, _terms(task, shape, size))
    descent = Descent(task.optimizer, objective, task.optimizer_options)
    first = len(outcome.history)
    before = time.perf_counter()
    try:
        for iterate in islice(descent.iterates(backend.asarray(resize(outcome.pixels, shape))), steps):
            now = time.perf_counter()
            progress = _progress(task, size, len(outcome.history) + 1, iterate, now - before, descent)
            outcome.history.append(_row(progress))
            if on_iterate:
                on_iterate(progress)
            before = now
    finally:
        if descent.best is not None:
            outcome.pixels = backend.to_numpy(descent.best.image)
        outcome.notes.extend(descent.notes)
    if descent.gave_up:
        outcome.stopped = "diverged"
    elif (taken := len(outcome.history) - first) < steps:
        outcome.notes.append(f"at {size} px the optimizer found nothing better after {taken} of {steps} steps")


def _terms(task: Task, shape: tuple[int, int], size: int) -> list[Term]:
    content = resize(task.content, shape)
    styles = [_shrink(style, size * task.style_scale) for style in task.styles]
    terms = style_terms(task.backend, task.style, styles, task.blend) if task.style.weight else []
    for use in task.pointwise:
        if use.weight:
            terms += pointwise_terms(task.backend, use, content)
    return terms


def _shrink(style: Pixels, long_side: float) -> Pixels:
    """The style with its long side at most `long_side`: enlarging it would only teach the picture blur."""
    height, width = style.shape[:2]
    return resize(style, fit(height, width, round(min(long_side, max(height, width)))))


def _progress(task: Task, size: int, step: int, iterate: Iterate, seconds: float, descent: Descent) -> Progress:
    return Progress(
        step=step,
        steps=sum(task.steps),
        size=size,
        loss=iterate.evaluation.loss,
        terms=iterate.evaluation.terms,
        seconds=seconds,
        pixels=lambda: task.backend.to_numpy(iterate.image),
        note=descent.news(),
    )


def _row(progress: Progress) -> dict[str, Any]:
    return {
        "step": progress.step,
        "size": progress.size,
        "loss": progress.loss,
        "terms": dict(progress.terms),
        "seconds": progress.seconds,
    }


class Descent:
    """An optimizer's iterates without those whose loss is not finite.

    After such a loss the optimizer starts again from the last good image with steps half as long. `best` is the
    iterate of the lowest loss, `notes` what happened on the way, `gave_up` whether halving did not help.
    """

    def __init__(self, optimizer: Optimizer, objective: Objective, options: Mapping[str, Any]) -> None:
        self._optimizer = optimizer
        self._objective = objective
        self._options = options
        self._told = 0
        self.best: Iterate | None = None
        self.notes: list[str] = []
        self.gave_up = False

    def iterates(self, image: Array) -> Iterator[Iterate]:
        """Finite iterates only, each remembered when it is the best."""
        good: Iterate | None = None
        scale = 1.0
        for _ in range(MAX_RESCUES):
            for iterate in self._from(image, good, scale):
                if not math.isfinite(iterate.evaluation.loss):
                    break
                good = iterate
                if self.best is None or iterate.evaluation.loss < self.best.evaluation.loss:
                    self.best = iterate
                yield iterate
            else:
                return
            scale /= 2
            self.notes.append(_rescued(good, scale))
        self._give_up(good)

    def _from(self, image: Array, good: Iterate | None, scale: float) -> Iterator[Iterate]:
        start, state = (image, None) if good is None else (good.image, good.state)
        return self._optimizer(self._objective, start, state=state, step_scale=scale, **self._options)

    def _give_up(self, good: Iterate | None) -> None:
        if good is None:
            raise NstError(
                "the loss is not finite from the first step on",
                "lower the weights or the step length; if the backend is a plugin, check it with another one",
            )
        self.gave_up = True
        self.notes.append(f"gave up after {MAX_RESCUES} halvings of the step; the last good image is kept")

    def news(self) -> str:
        """The notes since the last call, as one line."""
        fresh, self._told = self.notes[self._told :], len(self.notes)
        return "; ".join(fresh)


def _rescued(good: Iterate | None, scale: float) -> str:
    where = "the start" if good is None else f"the last good image (loss {good.evaluation.loss:.4g})"
    return f"the loss was not finite: went back to {where} with steps {scale:g} times as long"
