"""Small plots on logarithmic axes, as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, MARGIN = 460, 340, 56
COLORS = ("#3366aa", "#cc6633", "#339966", "#993366", "#888833", "#663399", "#222222", "#009999")


@dataclass(frozen=True)
class Mark:
    """One thing with its points (x, y): a dot, or dots with a line through them."""

    name: str
    points: Sequence[tuple[float, float]]


Plot = tuple[str, str, Sequence[Mark]]
"""What is upward, what is to the right, and the marks."""


def draw(plots: Sequence[Plot]) -> str:
    """Draw the plots side by side. A mark has the same color in each."""
    names = sorted({mark.name for _, _, marks in plots for mark in marks})
    colors = {name: COLORS[i % len(COLORS)] for i, name in enumerate(names)}
    size = f'width="{WIDTH * len(plots)}" height="{HEIGHT}"'
    body = [line for i, plot in enumerate(plots) for line in _plot(WIDTH * i, *plot, colors)]
    head = f'<svg xmlns="http://www.w3.org/2000/svg" {size} font-family="sans-serif" font-size="11">'
    return "\n".join([head, '<rect width="100%" height="100%" fill="white"/>', *body, "</svg>", ""])


class Axis:
    """Logarithms of values between two ends on the picture."""

    def __init__(self, values: Sequence[float], start: float, end: float) -> None:
        self.low, self.high = math.log(min(values) / 1.2), math.log(max(values) * 1.25)
        self.start, self.end = start, end

    def __call__(self, value: float) -> float:
        share = (math.log(value) - self.low) / (self.high - self.low)
        return self.start + share * (self.end - self.start)

    def ticks(self) -> list[float]:
        steps = [digit * 10.0**power for power in range(-4, 5) for digit in (1, 2, 5)]
        return [step for step in steps if self.low <= math.log(step) <= self.high]


def _plot(left: float, up: str, right: str, marks: Sequence[Mark], colors: dict[str, str]) -> Iterator[str]:
    points = [point for mark in marks for point in mark.points]
    x = Axis([each for each, _ in points], left + MARGIN, left + WIDTH - 16)
    y = Axis([each for _, each in points], HEIGHT - MARGIN, 16)
    yield from _frame(x, y, up, right)
    for i, mark in enumerate(marks):
        color, placed = colors[mark.name], [(x(a), y(b)) for a, b in mark.points]
        if len(placed) > 1:
            line = " ".join(f"{a:.1f},{b:.1f}" for a, b in placed)
            yield f'<polyline points="{line}" fill="none" stroke="{color}"/>'
        yield from (f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{color}"/>' for a, b in placed)
        a, b = placed[-(i % 2)]  # either end, above or below, by turns: names of lines side by side stay apart
        b += 14 if i % 5 in (2, 3) else -5
        yield f'<text x="{a + 6:.1f}" y="{b:.1f}" fill="{color}">{escape(mark.name)}</text>'


def _frame(x: Axis, y: Axis, up: str, right: str) -> Iterator[str]:
    for tick in x.ticks():
        yield f'<path d="M{x(tick):.1f} {y.start}V{y.end}" stroke="#dddddd"/>'
        yield f'<text x="{x(tick):.1f}" y="{y.start + 16}" text-anchor="middle">{tick:g}</text>'
    for tick in y.ticks():
        yield f'<path d="M{x.start} {y(tick):.1f}H{x.end}" stroke="#dddddd"/>'
        yield f'<text x="{x.start - 6}" y="{y(tick) + 4:.1f}" text-anchor="end">{tick:g}</text>'
    yield f'<text x="{(x.start + x.end) / 2}" y="{y.start + 36}" text-anchor="middle">{escape(right)}</text>'
    middle = (y.start + y.end) / 2
    place = f'transform="rotate(-90 {x.start - 40} {middle})"'
    yield f'<text x="{x.start - 40}" y="{middle}" text-anchor="middle" {place}>{escape(up)}</text>'
