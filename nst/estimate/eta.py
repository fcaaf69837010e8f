"""How long a run will still take."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from statistics import median


class Clock:
    """Time left, counting that a step costs as its pixels: steps at the last sizes take nearly all of it.

    `steps` are all of them, `ends` those after which a size is done.
    """

    def __init__(self, sizes: Sequence[int], steps: Sequence[int]) -> None:
        self._levels = list(zip(accumulate(steps), steps, (size**2 for size in sizes), strict=True))  # end, steps, cost
        self.steps = sum(steps)
        self.ends = set(accumulate(steps))
        self._seconds_per_cost: list[float] = []

    def planned(self, step: int, steps: int) -> int:
        """Where step `step` of `steps` stands among all that were planned: sizes that end early are passed over."""
        return step + self.steps - steps

    def left(self, planned: int, seconds: float) -> float:
        """Seconds after the step `planned`, which took `seconds`: by the median of recent steps, against hitches."""
        cost = next(cost for end, _, cost in self._levels if planned <= end)
        self._seconds_per_cost = [*self._seconds_per_cost[-8:], seconds / cost]
        remaining = sum(cost * max(0, min(count, end - planned)) for end, count, cost in self._levels)
        return median(self._seconds_per_cost) * remaining
