"""A run's report as a picture."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageColor

from nst.compare.curves import HEIGHT, LEFT, TOP, WIDTH
from nst.report import plot


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def test_each_curve_is_drawn_in_its_color(report):
    chart = pixels(plot.png(report))[plot.FINE * TOP : plot.FINE * (HEIGHT - 36), plot.FINE * LEFT :]
    for color in plot.COLORS[:3]:
        assert (chart == ImageColor.getrgb(color)).all(-1).sum() > 100, color
    assert not (chart == ImageColor.getrgb(plot.COLORS[3])).all(-1).any()


def test_two_charts_and_the_facts_are_one_picture(report):
    whole = pixels(plot.png(report))
    assert whole.shape[1] == plot.FINE * WIDTH
    assert whole.shape[0] > plot.FINE * 2 * HEIGHT
    bare = pixels(plot.png({**report, "history": []}))
    assert bare.shape[0] < plot.FINE * HEIGHT
    assert (bare < 128).any(), "the facts are there without curves"


def test_long_facts_go_on_in_the_next_line(report):
    usual = pixels(plot.png(report)).shape[0]
    report["weights"] = "a " * plot.LETTERS
    assert pixels(plot.png(report)).shape[0] == usual + plot.FINE * plot.ROW
