"""Tiles cover every pixel, their shares sum to 1, and what they show is what was painted."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_tfhub import tiles

sides = st.integers(4, 400)


@st.composite
def lengths(draw):
    side = draw(sides)
    return draw(st.integers(side, 12 * side)), side


@given(lengths())
def test_tiles_cover_the_length_and_overlap_by_a_fourth(drawn):
    length, side = drawn
    starts = tiles.starts(length, side)
    assert starts[0] == 0
    assert starts[-1] + side == length
    assert all(after - before <= side - side // tiles.OVERLAP for before, after in pairwise(starts))


@given(lengths())
def test_shares_sum_to_one_everywhere(drawn):
    length, side = drawn
    total = np.zeros(length)
    for place, share in tiles.strips(length, side):
        assert share.shape == (side,)
        assert share.min() > 0
        total[place] += share
    np.testing.assert_allclose(total, 1, atol=1e-6)


@given(st.integers(64, 400), st.floats(1.5, 12))
def test_shares_vanish_at_inner_edges(side, times):
    length = int(side * times)
    for place, share in tiles.strips(length, side):
        assert place.start == 0 or share[0] < 0.02
        assert place.stop == length or share[-1] < 0.02


@given(st.integers(1, 5000), sides)
def test_the_shortest_side_needs_no_more_tiles(length, side):
    shortest = tiles.shortest(length, side)
    assert 1 <= shortest <= min(length, side)
    assert len(tiles.starts(length, shortest)) == len(tiles.starts(length, min(length, side)))


@given(st.integers(5, 60), st.integers(5, 60), st.integers(5, 30))
def test_a_picture_cut_in_tiles_is_that_picture(height, width, side):
    picture = np.random.default_rng(0).random((height, width, 3), np.float32)
    shape = min(height, side), min(width, side)
    again = tiles.assembled((height, width), shape, lambda rows, columns: picture[rows, columns])
    assert again.dtype == np.float32
    np.testing.assert_allclose(again, picture, atol=1e-6)


def test_toning_brings_mean_and_contrast():
    rng = np.random.default_rng(0)
    tile, like = rng.random((40, 40, 3), np.float32), rng.random((40, 40, 3), np.float32) * 0.7 + 0.2
    found = tiles.toned(tile, like)
    np.testing.assert_allclose(found.mean((0, 1)), like.mean((0, 1)), atol=1e-5)
    np.testing.assert_allclose(found.std((0, 1)), like.std((0, 1)), rtol=0.01)


def test_toning_does_not_blow_up_a_flat_tile():
    flat = np.full((8, 8, 3), 0.5, np.float32)
    flat[0, 0] = 0.51
    noisy = np.random.default_rng(0).random((8, 8, 3), np.float32)
    assert np.ptp(tiles.toned(flat, noisy)) == pytest.approx(0.02 + np.ptp(noisy.mean((0, 1))), abs=0.01)
