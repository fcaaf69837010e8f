"""Sizes grow by the square root of two up to the one asked for; steps are most where they cost least."""

from __future__ import annotations

import math
from dataclasses import fields
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.images import fit
from nst.recipe import schedule
from nst.recipe.recipe import Recipe
from nst.recipe.schedule import COARSEST, DEFAULT_STEPS, per_size, pyramid, share_out
from nst.vgg.architecture import layer, smallest_side

SIDES = st.integers(1, 10_000)


def plan(recipe, height, width):
    """The sizes and steps of a recipe on a VGG."""
    return schedule.plan_sizes(recipe, height, width, [*map(layer, recipe.layers())])


def test_a_usual_picture() -> None:
    assert plan(Recipe(), 768, 1024) == ((128, 181, 256, 362, 512), (50, 30, 25, 20, 20))


@given(SIDES, SIDES)
def test_a_pyramid_grows_by_root_two_up_to_the_size(size: int, smallest: int) -> None:
    sizes = pyramid(size, smallest)
    assert sizes[-1] == size
    for coarse, fine in pairwise(sizes):
        assert fine / math.sqrt(2) == pytest.approx(coarse, abs=1)


@given(SIDES, SIDES)
def test_a_pyramid_begins_at_the_coarsest_size_allowed(size: int, smallest: int) -> None:
    floor, first = max(COARSEST, smallest), pyramid(size, smallest)[0]
    assert first == size if size < floor else floor <= first < floor * math.sqrt(2) + 1


@given(SIDES, SIDES, st.integers(16, 10_000), st.sampled_from(["relu1_1", "relu3_1", "pool5"]))
def test_every_size_leaves_the_deepest_layer_a_position(height: int, width: int, size: int, layer: str) -> None:
    recipe = Recipe(size=size, content_layers=layer, style_layers="relu1_1")
    need = smallest_side([layer])
    sizes, _ = plan(recipe, height, width)
    assert len(sizes) == 1 or min(fit(height, width, sizes[0])) >= need


@given(st.integers(1, 9), SIDES)
def test_levels_count_the_sizes_from_the_last(levels: int, size: int) -> None:
    sizes, steps = plan(Recipe(size=size, levels=levels), 100, 100)
    assert sizes == pyramid(size, 16)[-levels:]
    assert steps == (*DEFAULT_STEPS, *[DEFAULT_STEPS[-1]] * 20)[: len(sizes)]


def test_sizes_and_steps_given_are_taken_as_they_are() -> None:
    assert plan(Recipe(sizes=(64, 100), steps=(7, 3), levels=1), 10, 10) == ((64, 100), (7, 3))


def test_help_names_the_steps_at_the_first_size() -> None:
    (steps,) = (field for field in fields(Recipe) if field.name == "steps")
    assert f"(default: {DEFAULT_STEPS[0]} at the first size, then fewer)" in steps.metadata["help"]


def test_one_number_of_steps_is_shared_out_over_the_sizes() -> None:
    assert plan(Recipe(sizes=(128, 181, 256), steps=100), 10, 10) == ((128, 181, 256), (48, 28, 24))
    assert plan(Recipe(size=100, steps=500), 10, 10) == ((100,), (500,))


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=20), st.integers(0, 10_000))
def test_shares_sum_to_the_total_and_none_is_left_out(weights: list[int], more: int) -> None:
    shares = share_out(len(weights) + more, weights)
    assert len(shares) == len(weights)
    assert sum(shares) == len(weights) + more
    assert min(shares) >= 1


@given(st.lists(st.integers(50, 100), min_size=1, max_size=9))
def test_shares_are_in_proportion(weights: list[int]) -> None:
    total = 100 * len(weights)
    for share, weight in zip(share_out(total, weights), weights, strict=True):
        assert share == pytest.approx(total * weight / sum(weights), abs=1)
    assert share_out(7, [1, 1, 1]) == (2, 3, 2)


def test_fewer_steps_than_sizes_are_one_each() -> None:
    assert share_out(2, [100, 60, 40]) == (1, 1, 1)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["a"], ["a", "a", "a"]), (["a", "b"], ["a", "a", "b"]), (["a", "b", "c"], ["a", "b", "c"])],
)
def test_names_are_shared_out_with_the_last_for_the_last_size(names, expected):
    assert per_size(names, 3) == tuple(expected)
