"""What a picture needs, as objects, and what is asked of the image at a size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from nst.engine.problem import PROTECTED_WEIGHT, Level, Problem, build_level
from nst.engine.terms import Region, WeightedLoss
from nst.errors import NstError
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

STYLE = WeightedLoss("style", Gram(), at({"relu1_1": 1.0}), 1.0)
CONTENT = WeightedLoss("content", Content(), at({"relu1_1": 1.0}), 1.0, is_content=True)


@pytest.fixture
def task(make_network, photo):
    """A task of one level, 6 pixels wide."""

    def make(styles=(), scales=(), masks=(None,), **changes):
        regions = [Region(styles or [photo(6, 6, seed=1)], [1.0], mask=mask, scales=scales) for mask in masks]
        values = {"style": [STYLE], "pointwise": [CONTENT], "content": photo(8, 12), "start": photo(4, 6)}
        levels = [Level(6, 1, ReferenceVGG(make_network()))]
        values |= {"regions": regions, "optimizer": None, "optimizer_options": {}}
        return Problem(levels=levels, **values | changes)

    return make


def terms(task, image, tile=0):
    """What the image is told at the task's only level."""
    return build_level(task, task.levels[0], tile)(image).terms


def test_a_level_is_painted_at_its_own_size_and_a_rim_more(task):
    wide = task(content=np.zeros((40, 80, 3), np.float32), bleed=3)
    assert wide.canvas(Level(48, 1, None)).shape == (24 + 6, 48 + 6)
    assert wide.canvas(Level(16, 1, None)).shape == (8 + 2, 16 + 2)  # a small one is not to be mostly rim


def test_each_loss_of_either_role_is_a_term_at_each_layer(task, photo):
    both = [STYLE, WeightedLoss("gram 2", Gram(), at({"relu2_1": 1.0}), 2.0)]
    assert set(terms(task(style=both), photo(4, 6))) == {"style relu1_1", "gram 2 relu2_1", "content relu1_1"}


def test_a_loss_without_weight_is_not_asked(task, photo):
    assert set(terms(task(style=[replace(STYLE, weight=0.0)]), photo(4, 6))) == {"content relu1_1"}


def test_styles_are_shrunk_to_the_size_but_never_enlarged(task, photo):
    shapes = []

    class Watching(Gram):
        def statistic(self, xp, features, weight):
            shapes.append(features.shape[:2])
            return super().statistic(xp, features, weight)

    style = [WeightedLoss("style", Watching(), at({"relu1_1": 1.0}), 1.0)]
    for styles, scales in (([photo(20, 10)], [2.0]), ([photo(4, 5)], ())):
        made = task(style=style, styles=styles, scales=scales)
        build_level(made, made.levels[0])
    assert shapes == [(12, 6), (4, 5)]


def test_the_content_weighs_more_where_it_is_protected(task, photo):
    """Everywhere, so that the whole term does."""
    weak, firm = (terms(task(protect=protect), photo(4, 6, seed=2)) for protect in (None, np.ones((8, 12), np.float32)))
    assert firm["content relu1_1"] == pytest.approx((1 + PROTECTED_WEIGHT) * weak["content relu1_1"], rel=1e-5)
    assert firm["style relu1_1"] == weak["style relu1_1"]


@pytest.mark.parametrize(
    ("given", "tile", "message"),
    [
        ({}, 2, "'style' cannot be computed in tiles"),
        ({"masks": [np.ones((8, 12), np.float32)]}, 0, "'style' does not work with masks"),
    ],
)
def test_a_loss_of_all_positions_at_once_takes_neither_tiles_nor_masks(task, given, tile, message):
    made = task(style=[replace(STYLE, whole=True)], **given)
    with pytest.raises(NstError, match=message):
        build_level(made, made.levels[0], tile)


def test_the_styles_of_a_whole_loss_are_compared_one_by_one_by_share(task, photo):
    """The mean of two statistics that need all positions is the statistic of no style."""
    styles, image = [photo(6, 6, seed=seed) for seed in (1, 2, 3)], photo(4, 6)
    whole = [replace(STYLE, whole=True)]
    blend = task(style=whole, regions=[Region(styles, [0.25, 0.75, 0.0])])
    alone = [task(style=whole, regions=[Region([style], [1.0])]) for style in styles]
    first, second, _ = (terms(problem, image)["style relu1_1"] for problem in alone)
    found = terms(blend, image)
    assert found.keys() == {"style style 1 relu1_1", "style style 2 relu1_1", "content relu1_1"}
    assert found["style style 1 relu1_1"] == pytest.approx(0.25 * first, rel=1e-5)
    assert found["style style 2 relu1_1"] == pytest.approx(0.75 * second, rel=1e-5)
