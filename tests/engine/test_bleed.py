"""A rim around the picture: mirrored, painted, cut off."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.bleed import BleedCanvas


@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 20), st.sampled_from([(), (3,)]))
def test_what_is_mirrored_is_trimmed_to_what_it_was(height, width, bleed, channels):
    array = np.random.default_rng(0).random((height, width, *channels), np.float32)
    canvas = BleedCanvas((height, width), bleed)
    grown = canvas.mirrored(array)
    assert grown.shape[:2] == canvas.shape == (height + 2 * bleed, width + 2 * bleed)
    np.testing.assert_array_equal(canvas.trim(grown), array)
    assert canvas.trim(grown).flags.c_contiguous


def test_the_rim_shows_the_picture_mirrored_at_its_outermost_pixels():
    row = np.arange(4.0)[None].repeat(4, axis=0)
    assert list(BleedCanvas((4, 4), 2).mirrored(row)[3]) == [2, 1, 0, 1, 2, 3, 2, 1]


@pytest.mark.parametrize("bleed", [0, 3])
def test_an_image_of_another_size_is_brought_to_the_picture_s(photo, bleed):
    canvas = BleedCanvas((6, 8), bleed)
    assert canvas.trim(canvas.spread(photo(12, 16))).shape == (6, 8, 3)
    assert canvas.spread(photo(12, 16)[..., 0]).shape == canvas.shape


@pytest.mark.parametrize(("picture", "rim"), [((128, 96), 8), ((90, 127), 7), ((12, 15), 0)])
def test_a_small_picture_has_a_narrow_rim(picture, rim):
    assert BleedCanvas.around(picture, 8) == BleedCanvas(picture, rim)


def test_without_a_rim_nothing_is_copied(photo):
    pixels = photo(6, 8)
    canvas = BleedCanvas((6, 8))
    assert canvas.mirrored(pixels) is pixels
    assert canvas.trim(pixels) is pixels
