"""Draw loss curves as inline SVG: the loss of each run at each step, on a logarithmic scale."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import pairwise
from typing import NamedTuple

WIDTH, HEIGHT = 720, 300  # units of the drawing
LEFT, RIGHT, TOP, BOTTOM = 80, 12, 24, 36
COLORS = 8  # the page's classes `line0` … `line7`
LETTER = 10.5  # units, the width of a letter in the largest font, which a phone uses
LINE = 20  # units, the height of a line in that font


Points = Sequence[tuple[int, float]]


class Mark(NamedTuple):
    """A vertical line at `x` with its name, "" where the name has no room. `anchor` is the end of the name at `x`."""

    x: float
    name: str
    anchor: str

    @property
    def text_x(self) -> float:
        """The position of the name."""
        return self.x + (4 if self.anchor == "start" else -4)


def svg(curves: Mapping[str, Sequence[float]], label: str, marks: Mapping[int, str] | None = None) -> str:
    """Return one polyline per curve, with the loss at each step from 1 on, or "" if no curve has a loss to draw.

    `marks` maps steps to the names of what begins there.
    """
    points_by_name = points(curves)
    if not any(points_by_name.values()):
        return ""
    scale = Scale([point for curve in points_by_name.values() for point in curve])
    lines = [_line(i, name, curve, scale) for i, (name, curve) in enumerate(points_by_name.items()) if curve]
    title = f"<title>{escape(label)}</title>"
    box = f'viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(label, quote=True)}"'
    return f'<svg class="curves" {box}>{title}{_axes(scale)}{_marks(marks or {}, scale)}{"".join(lines)}</svg>'


def points(curves: Mapping[str, Sequence[float]]) -> dict[str, Points]:
    """Return the steps of each curve, from 1 on, with their losses. Losses of 0 or less cannot be drawn."""
    return {name: [(i, y) for i, y in enumerate(values, 1) if _drawable(y)] for name, values in curves.items()}


def _drawable(loss: float | None) -> bool:
    return loss is not None and math.isfinite(loss) and loss > 0


class Scale:
    """Convert steps and losses to units of the drawing, and choose the labels of the axes."""

    def __init__(self, points: Points) -> None:
        self.last = max(2, max(step for step, _ in points))
        self.low = math.floor(10 * math.log10(min(loss for _, loss in points))) / 10
        self.high = max(self.low + 0.1, math.ceil(10 * math.log10(max(loss for _, loss in points))) / 10)

    def x(self, step: float) -> float:
        """Return the distance of a step from the left."""
        return LEFT + (WIDTH - LEFT - RIGHT) * (step - 1) / (self.last - 1)

    def y(self, loss: float) -> float:
        """Return the distance of a loss from the top."""
        return TOP + (HEIGHT - TOP - BOTTOM) * (self.high - math.log10(loss)) / (self.high - self.low)

    def losses(self) -> list[float]:
        """Return round losses with room for their labels: 1, 2 and 5 times powers of ten, or fewer, or the two ends."""
        first, last = math.floor(self.low), math.ceil(self.high) + 1
        for every, factors in ((1, (1, 2, 5)), (1, (1,)), (2, (1,)), (5, (1,)), (20, (1,)), (100, (1,))):
            ticks = [factor * 10.0**power for power in range(first, last) if power % every == 0 for factor in factors]
            inside = [tick for tick in ticks if self.low <= math.log10(tick) <= self.high]
            if all(self.y(low) - self.y(high) >= LINE for low, high in pairwise(inside)):
                break
        return inside if len(inside) > 1 else [10**self.low, 10**self.high]

    def steps(self) -> list[int]:
        """Return the first step, the last step, and up to four round steps between them with room for their labels."""
        interval = max(1, self.last // 5)
        between = range(interval, self.last, interval)
        return [1, *(step for step in between if 1 + interval / 2 < step < self.last - 0.75 * interval), self.last]

    def marks(self, names: Mapping[int, str]) -> list[Mark]:
        """Return the marks from left to right. A name that would overlap an earlier name is left out."""
        marks: list[Mark] = []
        end = 0.0
        for step, name in sorted(names.items()):
            x, width = self.x(step), LETTER * len(name) + 4
            anchor = "start" if x + width <= WIDTH else "end"
            left = x if anchor == "start" else x - width
            shown = left >= end
            marks.append(Mark(x, name if shown else "", anchor))
            end = left + width if shown else end
        return marks


def loss_label(loss: float) -> str:
    """Return the label of a loss, at most 7 letters long, which is the room left of the drawing."""
    label = f"{loss:.3g}"
    return label if len(label) <= 7 else f"{loss:.2g}"


def _axes(scale: Scale) -> str:
    rows = "".join(
        f'<line x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{scale.y(loss):.1f}" y2="{scale.y(loss):.1f}"/>'
        f'<text x="{LEFT - 8}" y="{scale.y(loss) + 4:.1f}" text-anchor="end">{loss_label(loss)}</text>'
        for loss in scale.losses()
    )
    return f'<g class="axes">{rows}{_step_labels(scale.steps(), scale)}</g>'


def _step_labels(steps: Iterable[int], scale: Scale) -> str:
    """Return the labels below the steps. The last label ends at its step, so that it stays inside the drawing."""
    return "".join(
        f'<text x="{scale.x(step):.1f}" y="{HEIGHT - 14}" '
        f'text-anchor="{"end" if step == scale.last else "middle"}">{step}</text>'
        for step in steps
    )


def _marks(names: Mapping[int, str], scale: Scale) -> str:
    lines = "".join(
        f'<line x1="{mark.x:.1f}" x2="{mark.x:.1f}" y1="{TOP}" y2="{HEIGHT - BOTTOM}"/>'
        + (f'<text x="{mark.text_x:.1f}" y="{TOP - 4}" text-anchor="{mark.anchor}">{escape(mark.name)}</text>')
        * bool(mark.name)
        for mark in scale.marks(names)
    )
    return f'<g class="marks">{lines}</g>' if lines else ""


def _line(index: int, name: str, points: Points, scale: Scale) -> str:
    path = " ".join(f"{scale.x(step):.1f},{scale.y(loss):.1f}" for step, loss in points)
    return f'<polyline class="line{index % COLORS}" points="{path}"><title>{escape(name)}</title></polyline>'
