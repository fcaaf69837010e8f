"""What lies under transparent parts counts nowhere: not in resizing, statistics, color transfer, starts or a JPEG."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.images import Picture, read, transparency, write

ALPHAS = st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(0, 99))


def cut_out(hidden: float) -> Picture:
    """A ramp of reds on the left, and hidden colors on the right."""
    pixels = np.zeros((12, 16, 3), np.float32)
    pixels[..., 0] = np.linspace(0, 1, 16)
    alpha = np.ones((12, 16), np.float32)
    alpha[:, 8:] = 0
    pixels[:, 8:] = hidden
    return Picture(pixels, alpha, "")


def test_hidden_colors_make_no_difference():
    one, other = (transparency.filled(cut_out(hidden)).pixels for hidden in (0.0, 1.0))
    np.testing.assert_array_equal(one, other)


def test_visible_colors_stay_and_go_on_beyond_the_edge():
    picture = cut_out(1.0)
    found = transparency.filled(picture).pixels
    np.testing.assert_array_equal(found[:, :8], picture.pixels[:, :8])
    assert np.abs(found[:, 8] - found[:, 7]).max() < 0.2
    assert found[..., 1:].max() < 1e-6


def test_an_opaque_picture_is_returned_itself():
    opaque = Picture(np.zeros((2, 3, 3), np.float32), None, "")
    assert transparency.filled(opaque) is opaque
    assert transparency.visible(opaque) is opaque.pixels


@settings(max_examples=60)
@given(ALPHAS)
def test_any_alpha_gives_colors_within_those_seen(shape):
    height, width, seed = shape
    rng = np.random.default_rng(seed)
    alpha = (rng.random((height, width)) * (rng.random((height, width)) > 0.6)).astype(np.float32)
    pixels = rng.uniform(0.2, 0.4, (height, width, 3)).astype(np.float32)
    pixels[alpha == 0] = 1
    found = transparency.fill(pixels, alpha)
    assert found.shape == pixels.shape
    if alpha.any():
        assert 0.2 - 1e-5 <= found.min() <= found.max() <= 0.4 + 1e-5
    else:
        assert (found == 0.5).all()


def test_repeated_pixels_have_the_statistics_of_the_visible_ones():
    picture = cut_out(1.0)
    found = transparency.repeated(picture.pixels, picture.alpha)
    np.testing.assert_allclose(found.mean((0, 1)), picture.pixels[:, :8].mean((0, 1)), atol=1e-6)
    np.testing.assert_allclose(found.std((0, 1)), picture.pixels[:, :8].std((0, 1)), atol=1e-6)


def test_new_colors_are_for_the_visible_pixels():
    picture = cut_out(1.0)
    found = transparency.recolored(picture, 1 - transparency.visible(picture))
    np.testing.assert_array_equal(found[:, :8], 1 - picture.pixels[:, :8])
    assert found[:, 8:, 1:].min() > 0.99


def test_a_jpeg_is_laid_on_white(tmp_path):
    picture = cut_out(0.0)
    found = read(write(tmp_path / "a.jpg", picture.pixels, alpha=picture.alpha)).pixels
    assert found[:, 9:].min() > 0.9
    assert found[:, :5, 1].max() < 0.1


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tif"])
def test_other_formats_keep_what_is_hidden(tmp_path, suffix):
    picture = cut_out(0.25)
    found = read(write(tmp_path / f"a{suffix}", picture.pixels, alpha=picture.alpha))
    np.testing.assert_allclose(found.alpha, picture.alpha)
    np.testing.assert_allclose(found.pixels[:, 9:], 0.25, atol=0.02)
