"""What a network is shown of a picture."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_tfhub.framing import centered, extended, mirrored, paintable, smoothed, style_view


def ramp(height, width):
    """Each pixel holds its row, its column and 0, so that what came from where can be read off."""
    rows, columns = np.mgrid[0:height, 0:width]
    return np.stack([rows, columns, np.zeros_like(rows)], -1).astype(np.float32)


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(1, 20))
def test_mirrored_indices_stay_inside_and_move_by_one(start, count, length):
    found = mirrored(start, count, length)
    assert found.shape == (count,)
    assert ((found >= 0) & (found < length)).all()
    assert (np.abs(np.diff(found)) <= 1).all()


def test_mirrored_indices_inside_are_themselves():
    assert mirrored(-3, 12, 5).tolist() == [2, 1, 0, 0, 1, 2, 3, 4, 4, 3, 2, 1]


@given(st.integers(1, 10_000))
def test_paintable_lengths_are_multiples_of_four_from_eight(length):
    found = paintable(length)
    assert found % 4 == 0
    assert found >= max(8, length)
    assert found < max(9, length + 4)


@given(st.integers(1, 20), st.integers(1, 20))
def test_an_extended_picture_begins_with_itself(height, width):
    picture = ramp(height, width)
    found = extended(picture, paintable(height), paintable(width))
    assert found.flags.c_contiguous
    np.testing.assert_array_equal(found[:height, :width], picture)


def test_the_middle_is_cut_out_and_mirrored_beyond():
    assert centered(ramp(4, 10), 4, 4)[0, :, 1].tolist() == [3, 4, 5, 6]
    assert centered(ramp(2, 2), 2, 6)[0, :, 1].tolist() == [1, 0, 0, 1, 1, 0]


@given(st.integers(1, 90), st.integers(1, 90), st.floats(0.05, 20), st.sampled_from([8, 64]))
def test_a_view_has_its_size_whatever_the_style_and_the_scale(height, width, scale, size):
    view = style_view(np.full((height, width, 3), 0.25, np.float32), size, scale)
    assert (view.shape, view.dtype) == ((size, size, 3), np.float32)
    np.testing.assert_allclose(view, 0.25, atol=1e-5)


@pytest.mark.parametrize(("scale", "period"), [(0.5, 8), (1, 16), (2, 32)])
def test_scale_enlarges_strokes(scale, period):
    """Stripes of 16 pixels in a style of 128, seen at 128."""
    stripes = np.tile(0.5 + 0.5 * np.sin(np.arange(256) * 2 * np.pi / 16), (128, 1))
    view = style_view(np.repeat(stripes[..., None], 3, -1).astype(np.float32), 128, scale)
    spectrum = np.abs(np.fft.rfft(view[64, :, 0] - view[64, :, 0].mean()))
    assert 128 / spectrum.argmax() == pytest.approx(period, rel=0.1)


def test_smoothing_is_the_mean_of_nine():
    picture = np.zeros((5, 5, 3), np.float32)
    picture[2, 2] = 9
    expected = np.zeros((5, 5, 3))
    expected[1:4, 1:4] = 1
    np.testing.assert_allclose(smoothed(picture), expected)
