"""An optimizer's way down: never from a loss that is not finite, and the best image on the way kept."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from nst.errors import NstError
from nst.protocols import Array, Evaluation, Iterate, Objective, Optimizer, State

MAX_RESCUES = 10  # halvings of the step before giving up: a thousandth of the step that failed
WINDOW = 10  # steps that must have lowered the loss


class EMA:
    """An exponential moving average of images, in which the first ones count no more than the others.

    `decay` is the share of it that each new image leaves, 0 keeping the last image alone (Adam's correction of the
    bias towards the start: Kingma & Ba 2015, section 3).
    """

    def __init__(self, decay: float, total: Array = 0.0, weight: float = 0.0) -> None:
        self._decay = decay
        self.total = total
        self.weight = weight

    def add(self, image: Array) -> None:
        """Take one more image into account."""
        self.total = self._decay * self.total + (1 - self._decay) * image
        self.weight = self._decay * self.weight + (1 - self._decay)

    @property
    def value(self) -> Array:
        """The average of the images so far."""
        return self.total / self.weight


class Descent:
    """An optimizer's iterates without those whose loss is not finite.

    After such a loss the optimizer starts again from the last good image with steps half as long. `good` is the last
    iterate, `best` that of the lowest loss, `scale` what steps are multiplied by; given at the start, the descent goes
    on from there. `state` is what the optimizer begins with otherwise. Once `WINDOW` steps have lowered the loss by
    less than the share `until` of it, the descent ends; `losses` are those of earlier steps. `notes` say what happened
    on the way, `gave_up` whether halving did not help.
    """

    def __init__(
        self,
        optimizer: Optimizer,
        objective: Objective,
        options: Mapping[str, Any],
        until: float = 0.0,
        *,
        state: State | None = None,
        good: Iterate | None = None,
        best: Iterate | None = None,
        scale: float = 1.0,
        losses: Sequence[float] = (),
    ) -> None:
        self._optimizer = optimizer
        self._objective = objective
        self._options = options
        self._until = until
        self._state = state
        self._told = 0
        self._losses = list(losses)
        self.good = good
        self.best = best
        self.scale = scale
        self.notes: list[str] = []
        self.gave_up = False

    def iterates(self, image: Array) -> Iterator[Iterate]:
        """Finite iterates only, each remembered when it is the best."""
        if self.settled():
            return
        while self.scale > 0.5**MAX_RESCUES:
            for iterate in map(_lighter, self._from(image)):
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
            self.notes.append(_rescued(self.good, self.scale))
        self._give_up()

    def settled(self) -> str:
        """Return the reason why the descent ends early, or "" if the loss still falls."""
        if not self._until or len(self._losses) <= WINDOW:
            return ""
        before, now = min(self._losses[:-WINDOW]), min(self._losses)
        if before - now >= self._until * before:
            return ""
        return f"{WINDOW} steps gained less than {self._until:g} of the loss: ended"

    def _from(self, image: Array) -> Iterator[Iterate]:
        start, state = (image, self._state) if self.good is None else (self.good.image, self.good.state)
        return self._optimizer(self._objective, start, state=state, step_scale=self.scale, **self._options)

    def _give_up(self) -> None:
        if self.good is None:
            raise NstError(
                "the loss is not finite from the first step on",
                "lower the weights or the step length; if the backend is a plugin, check it with another one",
            )
        self.gave_up = True
        self.notes.append(f"gave up after {MAX_RESCUES} halvings of the step; the last good image is kept")

    def news(self) -> str:
        """Return the notes since the last call, as one line."""
        fresh, self._told = self.notes[self._told :], len(self.notes)
        return "; ".join(fresh)


def _lighter(iterate: Iterate) -> Iterate:
    """Return the iterate without its gradient, which is as large as the image and not needed again."""
    evaluation = Evaluation(iterate.evaluation.loss, iterate.evaluation.terms, None)
    return Iterate(iterate.image, evaluation, iterate.state)


def _rescued(good: Iterate | None, scale: float) -> str:
    where = "the start" if good is None else f"the last good image (loss {good.evaluation.loss:.4g})"
    return f"the loss was not finite: went back to {where} with steps {scale:g} times as long"
