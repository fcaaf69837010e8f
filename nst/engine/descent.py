"""The iterates of an optimizer with a finite loss, and the best image among them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from nst.engine import answers
from nst.errors import NstError
from nst.protocols import Array, Evaluation, Iterate, Objective, Optimizer, State

MAX_RESCUES = 10  # halvings of the step before giving up; the last step is a thousandth of the one that failed
WINDOW = 10  # steps that must have lowered the loss


class EMA:
    """An exponential moving average of images, in which the first images count no more than the others.

    `decay` is the share of the average that each new image leaves; 0 keeps the last image alone. The bias towards the
    start is corrected as in Adam (Kingma & Ba 2015, section 3).
    """

    def __init__(self, decay: float, total: Array = 0.0, weight: float = 0.0) -> None:
        self._decay = decay
        self.total = total
        self.weight = weight

    def add(self, image: Array) -> None:
        """Add an image to the average."""
        self.total = self._decay * self.total + (1 - self._decay) * image
        self.weight = self._decay * self.weight + (1 - self._decay)

    @property
    def value(self) -> Array:
        """The average of the images so far."""
        return self.total / self.weight


@dataclass(frozen=True)
class DescentStart:
    """The start of a descent: by default a new one, with `good` a resumed one.

    `state` is the optimizer's initial state of a new descent. `good` is the last iterate, `best` the iterate of the
    lowest loss, `scale` the factor of the steps, and `losses` are those of the earlier steps.
    """

    state: State | None = None
    good: Iterate | None = None
    best: Iterate | None = None
    scale: float = 1.0
    losses: Sequence[float] = ()


class Descent:
    """The iterates of an optimizer, without those whose loss is not finite.

    After such a loss the optimizer restarts from the last good image with steps half as long. `good` is the last
    iterate, `best` the iterate of the lowest loss, `scale` the factor of the steps. The descent ends once `WINDOW`
    steps have lowered the loss by less than the share `until`. `notes` are messages on the course of the descent;
    `gave_up` is true if halving the step did not help.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        objective: Objective,
        until: float = 0.0,
        start: DescentStart | None = None,
        notes: list[str] | None = None,
    ) -> None:
        start = start or DescentStart()
        self._optimizer, self._objective, self._until, self._state = optimizer, objective, until, start.state
        self._losses = list(start.losses)
        self.good, self.best, self.scale = start.good, start.best, start.scale
        self.notes = [] if notes is None else notes
        self._reported = 0
        self.gave_up = False

    def iterates(self, image: Array) -> Iterator[Iterate]:
        """Yield the finite iterates, and remember the last and the best. Raises `NstError` if there is none."""
        if self.settled():
            return
        while self.scale > 0.5**MAX_RESCUES:
            for iterate in map(_without_gradient, self._restarted(image)):
                if not math.isfinite(iterate.evaluation.loss):
                    break
                self.good = iterate
                if self.best is None or iterate.evaluation.loss < self.best.evaluation.loss:
                    self.best = iterate
                self._losses.append(iterate.evaluation.loss)
                yield iterate
                if self.settled():
                    return
            else:
                return
            self.scale /= 2
            self.notes.append(_rescue_note(self.good, self.scale))
        self._give_up()

    def settled(self) -> str:
        """Return the reason why the descent ends early, or "" if the loss still falls."""
        if not self._until or len(self._losses) <= WINDOW:
            return ""
        before, now = min(self._losses[:-WINDOW]), min(self._losses)
        if before - now >= self._until * before:
            return ""
        return f"{WINDOW} steps gained less than {self._until:g} of the loss: ended"

    def new_notes(self) -> tuple[str, ...]:
        """Return the notes since the last call."""
        fresh, self._reported = tuple(self.notes[self._reported :]), len(self.notes)
        return fresh

    def _restarted(self, image: Array) -> Iterator[Iterate]:
        start, state = (image, self._state) if self.good is None else (self.good.image, self.good.state)
        return answers.iterates(self._optimizer(self._objective, start, state=state, step_scale=self.scale), start)

    def _give_up(self) -> None:
        if self.good is None:
            raise NstError(
                "the loss is not finite from the first step on",
                "lower the weights or the step length; if the backend is a plugin, check it with another one",
            )
        self.gave_up = True
        self.notes.append(f"gave up after {MAX_RESCUES} halvings of the step; the last good image is kept")


def _without_gradient(iterate: Iterate) -> Iterate:
    """Return the iterate without its gradient, which is as large as the image and not needed again."""
    evaluation = Evaluation(iterate.evaluation.loss, iterate.evaluation.terms, None)
    return Iterate(iterate.image, evaluation, iterate.state)


def _rescue_note(good: Iterate | None, scale: float) -> str:
    place = "the start" if good is None else f"the last good image (loss {good.evaluation.loss:.4g})"
    return f"the loss was not finite: went back to {place} with steps {scale:g} times as long"
