"""Draw the report of a run as one picture: the curves, and the facts below."""

from __future__ import annotations

from collections.abc import Mapping
from io import BytesIO
from textwrap import wrap

from PIL import Image, ImageDraw, ImageFont

from nst.reports import run
from nst.reports.curves import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, Scale, loss_label, points
from nst.reports.run import Curves, RunReport

FINE = 2  # pixels per unit of the curves
COLORS = ("#2458c5", "#c2410c", "#15803d", "#9333ea", "#b91c5c", "#0e7490", "#854d0e", "#4b5563")  # as on the page
INK, SOFT, EDGE = "#1c1d21", "#5d616b", "#d9dbe1"
ROW = 20  # units, the height of a line of text
LETTERS = 92  # in a line


def png(report: RunReport) -> bytes:
    """Return a PNG of the loss and its terms, with legends, and the facts below."""
    charts = [chart(curves, run.sizes(report)) for curves in (run.losses(report), run.terms(report))]
    parts = [*(image for image in charts if image), _lines(run.facts(report))]
    picture = Image.new("RGB", (WIDTH * FINE, sum(part.height for part in parts)), "white")
    top = 0
    for part in parts:
        picture.paste(part, (0, top))
        top += part.height
    file = BytesIO()
    picture.save(file, "PNG")
    return file.getvalue()


def chart(curves: Curves, marks: Mapping[int, str]) -> Image.Image | None:
    """Return curves on a logarithmic scale with their legend, or None if no curve has a loss to draw."""
    points_by_name = points(curves)
    if not any(points_by_name.values()):
        return None
    scale = Scale([point for curve in points_by_name.values() for point in curve])
    legend = -(-len(points_by_name) // 4) * ROW
    image, pen = _canvas(HEIGHT + legend)
    _axes(pen, scale, marks)
    for i, (name, curve) in enumerate(points_by_name.items()):
        color = COLORS[i % len(COLORS)]
        pen.line([_at(scale.x(step), scale.y(loss)) for step, loss in curve], color, 2 * FINE, "curve")
        left, top = LEFT + i % 4 * (WIDTH - LEFT) // 4, HEIGHT + i // 4 * ROW
        pen.line([_at(left, top + 8), _at(left + 20, top + 8)], color, 3 * FINE)
        pen.text(_at(left + 26, top), name, INK, _font())
    return image


def _axes(pen: ImageDraw.ImageDraw, scale: Scale, marks: Mapping[int, str]) -> None:
    for loss in scale.losses():
        y = scale.y(loss)
        pen.line([_at(LEFT, y), _at(WIDTH - RIGHT, y)], EDGE, FINE)
        pen.text(_at(LEFT - 8, y), loss_label(loss), SOFT, _font(), "rm")
    for step in scale.steps():
        pen.text(_at(scale.x(step), HEIGHT - 20), str(step), SOFT, _font(), "rm" if step == scale.last else "mm")
    for mark in scale.marks(marks):
        pen.line([_at(mark.x, TOP), _at(mark.x, HEIGHT - BOTTOM)], SOFT, FINE)
        pen.text(_at(mark.text_x, TOP - 2), mark.name, SOFT, _font(), "lb" if mark.anchor == "start" else "rb")


def _lines(facts: Mapping[str, str]) -> Image.Image:
    rows = [(name, part) for name, words in facts.items() for part in wrap(words, LETTERS)]
    image, pen = _canvas(ROW * (len(rows) + 2))
    before = ""
    for i, (name, part) in enumerate(rows, start=1):
        pen.text(_at(LEFT, i * ROW), "" if name == before else name, SOFT, _font())
        pen.text(_at(LEFT + 100, i * ROW), part, INK, _font())
        before = name
    return image


def _canvas(height: int) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (WIDTH * FINE, height * FINE), "white")
    return image, ImageDraw.Draw(image)


def _at(x: float, y: float) -> tuple[float, float]:
    return x * FINE, y * FINE


def _font() -> ImageFont.ImageFont | ImageFont.FreeTypeFont:
    return ImageFont.load_default(size=12 * FINE)
