"""Test the picture of a report."""

from __future__ import annotations

from io import BytesIO

import numpy as np
from PIL import Image, ImageColor

from nst.reports import run_plot
from nst.reports.curves import HEIGHT, LEFT, TOP, WIDTH


def pixels(data: bytes) -> np.ndarray:
    return np.asarray(Image.open(BytesIO(data)).convert("RGB"))


def test_each_curve_is_drawn_in_its_color(report):
    chart = pixels(run_plot.png(report))[run_plot.FINE * TOP : run_plot.FINE * (HEIGHT - 36), run_plot.FINE * LEFT :]
    for color in run_plot.COLORS[:3]:
        assert (chart == ImageColor.getrgb(color)).all(-1).sum() > 100, color
    assert not (chart == ImageColor.getrgb(run_plot.COLORS[3])).all(-1).any()


def test_two_charts_and_the_facts_are_one_picture(report):
    picture = pixels(run_plot.png(report))
    assert picture.shape[1] == run_plot.FINE * WIDTH
    assert picture.shape[0] > run_plot.FINE * 2 * HEIGHT
    bare = pixels(run_plot.png({**report, "history": []}))
    assert bare.shape[0] < run_plot.FINE * HEIGHT
    assert (bare < 128).any(), "facts are drawn without curves"


def test_a_long_fact_is_wrapped(report):
    usual = pixels(run_plot.png(report)).shape[0]
    report["weights"] = "a " * run_plot.LETTERS
    assert pixels(run_plot.png(report)).shape[0] == usual + run_plot.FINE * run_plot.ROW
