"""Loss curves as inline SVG: every run's loss by step, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

WIDTH, HEIGHT = 720, 300  # of the drawing's own units
LEFT, RIGHT, TOP, BOTTOM = 56, 12, 12, 36
COLORS = 8  # the page's classes `line0` … `line7`


def svg(curves: Mapping[str, Sequence[float]], label: str) -> str:
    """One polyline per curve, a loss at each step from 1 on; "" when there is nothing to draw."""
    drawn = {name: [(i, y) for i, y in enumerate(values, 1) if _drawable(y)] for name, values in curves.items()}
    points = [point for found in drawn.values() for point in found]
    if not points:
        return ""
    scale = _Scale(points)
    lines = [_line(i, name, found, scale) for i, (name, found) in enumerate(drawn.items()) if found]
    title = f"<title>{escape(label)}</title>"
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}"'
    return f'<svg class="curves" {box}>{title}{_axes(scale)}{"".join(lines)}</svg>'


def _drawable(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss) and loss > 0


class _Scale:
    """From steps and losses to the drawing's units."""

    def __init__(self, points: Sequence[tuple[int, float]]) -> None:
        self.last = max(2, max(step for step, _ in points))
        self.low = math.floor(10 * math.log10(min(loss for _, loss in points))) / 10
        self.high = max(self.low + 0.1, math.ceil(10 * math.log10(max(loss for _, loss in points))) / 10)

    def x(self, step: float) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - 1) / (self.last - 1)

    def y(self, loss: float) -> float:
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - math.log10(loss)) / (self.high - self.low)

    def losses(self) -> list[float]:
        """Round values inside the range: 1, 2 and 5 times powers of ten, or the two ends where there are none."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        ticks = [part * 10.0**power for power in powers for part in (1, 2, 5)]
        inside = [tick for tick in ticks if self.low <= math.log10(tick) <= self.high]
        return inside if len(inside) > 1 else [10**self.low, 10**self.high]

    def steps(self) -> list[int]:
        """The first step, the last, and about four round ones between."""
        apart = max(1, self.last // 5)
        round_ones = range(apart, self.last, apart)
        return [1, *(step for step in round_ones if apart / 2 < step < self.last - apart / 2), self.last]


def _axes(scale: _Scale) -> str:
    rows = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale.y(loss):.1f}" y2="{scale.y(loss):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{scale.y(loss) + 4:.1f}" text-anchor="end">{loss:.3g}</text>'
        for loss in scale.losses()
    )
    columns = "".join(
        f'<text x="{scale.x(step):.1f}" y="{HEIGHT - 14}" text-anchor="middle">{step}</text>' for step in scale.steps()
    )
    return f'<g class="axes">{rows}{columns}</g>'


def _line(index: int, name: str, points: Sequence[tuple[int, float]], scale: _Scale) -> str:
    path = " ".join(f"{scale.x(step):.1f},{scale.y(loss):.1f}" for step, loss in points)
    return f'<polyline class="line{index % COLORS}" points="{path}"><title>{escape(name)}</title></polyline>'
