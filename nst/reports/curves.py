"""Loss curves as inline SVG: every run's loss by step, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 300  # of the drawing's own units
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 36
COLORS = 8  # the page's classes `line0` … `line7`


Points = Sequence[tuple[int, float]]


def svg(curves: Mapping[str, Sequence[float]], label: str, marks: Mapping[int, str] | None = None) -> str:
    """One polyline per curve, a loss at each step from 1 on; "" when there is nothing to draw.

    `marks` are steps at which something begins, and its name.
    """
    drawn = points(curves)
    if not any(drawn.values()):
        return ""
    scale = Scale([point for found in drawn.values() for point in found])
    lines = [_line(i, name, found, scale) for i, (name, found) in enumerate(drawn.items()) if found]
    title = f"<title>{escape(label)}</title>"
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}"'
    return f'<svg class="curves" {box}>{title}{_axes(scale)}{_marks(marks or {}, scale)}{"".join(lines)}</svg>'


def points(curves: Mapping[str, Sequence[float]]) -> dict[str, Points]:
    """Of each curve the steps, from 1 on, at which there is a loss to draw."""
    return {name: [(i, y) for i, y in enumerate(values, 1) if _drawable(y)] for name, values in curves.items()}


def _drawable(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss) and loss > 0


class Scale:
    """From steps and losses to the drawing's units."""

    def __init__(self, points: Points) -> None:
        self.last = max(2, max(step for step, _ in points))
        self.low = math.floor(10 * math.log10(min(loss for _, loss in points))) / 10
        self.high = max(self.low + 0.1, math.ceil(10 * math.log10(max(loss for _, loss in points))) / 10)

    def x(self, step: float) -> float:
        """Where a step is, from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - 1) / (self.last - 1)

    def y(self, loss: float) -> float:
        """Where a loss is, from the top."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - math.log10(loss)) / (self.high - self.low)

    def losses(self) -> list[float]:
        """Round values inside the range: 1, 2 and 5 times powers of ten, or the two ends where there are none."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        ticks = [part * 10.0**power for power in powers for part in (1, 2, 5)]
        inside = [tick for tick in ticks if self.low <= math.log10(tick) <= self.high]
        return inside if len(inside) > 1 else [10**self.low, 10**self.high]

    def steps(self) -> list[int]:
        """Return the first step, the last, and about four round ones between."""
        apart = max(1, self.last // 5)
        round_ones = range(apart, self.last, apart)
        return [1, *(step for step in round_ones if apart / 2 < step < self.last - apart / 2), self.last]


def _axes(scale: Scale) -> str:
    rows = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale.y(loss):.1f}" y2="{scale.y(loss):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{scale.y(loss) + 4:.1f}" text-anchor="end">{loss:.3g}</text>'
        for loss in scale.losses()
    )
    columns = "".join(
        f'<text x="{scale.x(step):.1f}" y="{HEIGHT - 14}" text-anchor="middle">{step}</text>' for step in scale.steps()
    )
    return f'<g class="axes">{rows}{columns}</g>'


def _marks(marks: Mapping[int, str], scale: Scale) -> str:
    drawn = "".join(
        f'<line x1="{scale.x(step):.1f}" x2="{scale.x(step):.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        f'<text x="{scale.x(step) + 4:.1f}" y="{TOP - 2}">{escape(name)}</text>'
        for step, name in marks.items()
    )
    return f'<g class="marks">{drawn}</g>' if drawn else ""


def _line(index: int, name: str, points: Points, scale: Scale) -> str:
    path = " ".join(f"{scale.x(step):.1f},{scale.y(loss):.1f}" for step, loss in points)
    return f'<polyline class="line{index % COLORS}" points="{path}"><title>{escape(name)}</title></polyline>'
