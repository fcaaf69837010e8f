"""Test the loss curves: labels that never overlap or leave the drawing, and losses that cannot be drawn."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.reports import curves
from nst.reports.curves import HEIGHT, LEFT, LETTER, LINE, WIDTH, Scale

LOSSES = st.floats(1e-30, 1e30)


@given(low=LOSSES, high=LOSSES)
def test_the_labels_of_losses_do_not_overlap(low: float, high: float) -> None:
    scale = Scale([(1, low), (9, high)])
    heights = [scale.y(loss) for loss in scale.losses()]
    assert len(heights) > 1
    assert all(below - above >= LINE for below, above in pairwise(heights))
    assert all(0 < height < HEIGHT for height in heights)
    assert all(LETTER * len(curves.loss_label(loss)) <= LEFT - 6 for loss in scale.losses())


@given(last=st.integers(2, 10**6))
def test_the_labels_of_steps_do_not_overlap(last: int) -> None:
    scale = Scale([(1, 1.0), (last, 2.0)])
    spans = [(scale.x(step), LETTER * len(str(step))) for step in scale.steps()]
    edges = [
        (x - width, x) if i == len(spans) - 1 else (x - width / 2, x + width / 2) for i, (x, width) in enumerate(spans)
    ]
    assert all(right <= left for (_, right), (left, _) in pairwise(edges))
    assert edges[-1][1] <= WIDTH
    assert (scale.steps()[0], scale.steps()[-1]) == (1, last)


@given(steps=st.sets(st.integers(1, 100), min_size=1, max_size=12))
def test_the_names_of_sizes_do_not_overlap(steps: set[int]) -> None:
    scale = Scale([(1, 1.0), (100, 2.0)])
    marks = scale.marks(dict.fromkeys(steps, "1024 px"))
    assert len(marks) == len(steps), "a size without room for its name keeps its line"
    assert marks[0].name
    width = LETTER * len("1024 px")
    spans = [
        (mark.text_x, mark.text_x + width) if mark.anchor == "start" else (mark.text_x - width, mark.text_x)
        for mark in marks
        if mark.name
    ]
    assert all(right <= left for (_, right), (left, _) in pairwise(spans))
    assert all(left >= 0 and right <= WIDTH + 4 for left, right in spans)


def test_names_with_room_are_all_shown() -> None:
    scale = Scale([(1, 1.0), (100, 2.0)])
    assert [mark.name for mark in scale.marks({1: "256 px", 40: "512 px", 99: "1024 px"})] == [
        "256 px",
        "512 px",
        "1024 px",
    ]


@pytest.mark.parametrize("losses", [[], [0.0, -1.0], [float("nan"), float("inf")]])
def test_losses_that_cannot_be_drawn_give_no_drawing(losses: list[float]) -> None:
    assert curves.svg({"loss": losses}, "Loss") == ""
