"""Colors come from where the mode says, and never turn into noise or NaN."""

from __future__ import annotations

import sys
import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nst import Recipe, stylize
from nst.errors import UserError
from nst.images import color_transfer
from nst.images.color_transfer import MODES

close = np.testing.assert_allclose
PICTURES = arrays(
    np.float32,
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)),
    elements=st.floats(0, 1, width=32) | st.sampled_from([0.0, 1.0]),
)


@pytest.fixture
def pair(photo):
    """A result or style, and a content of the same shape with other colors."""
    return photo(40, 50, seed=1) * np.float32(0.5), photo(40, 50, seed=2)


def luma(pixels):
    return pixels @ np.array([0.299, 0.587, 0.114], np.float32)


def chroma(pixels):
    return pixels - luma(pixels)[..., None]


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=40)
@given(one=PICTURES, other=PICTURES, flat=st.sampled_from(["", "constant", "gray"]))
def test_every_mode_makes_pixels_of_any_pictures(mode, one, other, flat):
    if MODES[mode].needs:
        pytest.importorskip(MODES[mode].needs)
    if flat == "constant":
        one = np.full_like(one, 0.5)
    if flat == "gray":
        other = np.repeat(other[..., :1], 3, axis=-1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        (style,) = color_transfer.prepared(mode, [one], other)
        result = color_transfer.finished(mode, one, other)
    for found in (style, result):
        assert found.shape == one.shape
        assert found.dtype == np.float32
        assert found.flags.c_contiguous
        assert 0 <= found.min() <= found.max() <= 1


def test_style_leaves_everything_alone(pair):
    result, content = pair
    assert color_transfer.finished("style", result, content) is result
    assert color_transfer.prepared("style", [result], content)[0] is result


def test_luminance_is_the_result_s_and_chroma_the_content_s_in_the_same_direction(pair):
    result, content = pair
    found = color_transfer.luminance(result, content)
    close(luma(found), luma(result), atol=1e-5)
    wanted, kept = chroma(content), chroma(found)
    share = (wanted * kept).sum(-1) / (wanted**2).sum(-1)
    close(kept, wanted * share[..., None], atol=1e-4)
    assert share.max() <= 1 + 1e-4
    assert np.median(share) > 0.5


def test_luminance_keeps_chroma_whole_where_it_fits():
    content = np.full((2, 2, 3), (0.6, 0.5, 0.4), np.float32)
    close(
        color_transfer.luminance(np.full((2, 2, 3), 0.5, np.float32), content)[0, 0],
        content[0, 0] - luma(content)[0, 0] + 0.5,
    )


def test_lab_keeps_the_result_s_lightness_and_the_content_s_hue(pair):
    skimage = pytest.importorskip("skimage.color")
    result, content = (each * 0.2 + 0.4 for each in pair)  # muted, so that all of it is in sRGB
    found, lightness, hue = (skimage.rgb2lab(each) for each in (color_transfer.lab(result, content), result, content))
    close(found[..., 0], lightness[..., 0], atol=0.05)
    close(found[..., 1:], hue[..., 1:], atol=0.05)


def test_match_mean_gives_the_style_the_content_s_statistics(pair):
    style, content = (each * np.float32(0.3) + np.float32(0.35) for each in pair)
    found = color_transfer.match_mean(style, content).reshape(-1, 3)
    wanted = content.reshape(-1, 3)
    close(found.mean(0), wanted.mean(0), atol=1e-4)
    close(np.cov(found.T), np.cov(wanted.T), atol=1e-4)


def test_match_mean_leaves_a_style_that_matches_alone(pair):
    close(color_transfer.match_mean(pair[0], pair[0]), pair[0], atol=1e-5)


def test_match_mean_makes_styles_gray_for_a_gray_photograph(pair):
    style, content = pair
    gray = np.repeat(luma(content)[..., None], 3, axis=-1)
    assert np.abs(chroma(color_transfer.match_mean(style, gray))).max() < 0.03


def test_match_histogram_gives_each_channel_the_content_s_values(pair):
    pytest.importorskip("skimage")
    style, content = pair
    found = color_transfer.match_histogram(style, content)
    for channel in range(3):
        close(np.sort(found[..., channel].ravel()), np.sort(content[..., channel].ravel()), atol=0.02)


def test_content_paints_with_the_photograph_s_range_of_light(pair):
    dark, content = pair
    (style,) = color_transfer.prepared("content", [dark], content)
    assert luma(style).mean() == pytest.approx(luma(content).mean(), abs=0.01)
    assert luma(style).std() == pytest.approx(luma(content).std(), rel=0.1)


def test_a_content_of_another_size_is_resized(pair, photo):
    assert color_transfer.finished("content", pair[0], photo(80, 100)).shape == (40, 50, 3)


def test_an_unknown_mode_and_a_missing_library_are_told(monkeypatch):
    assert color_transfer.check("content") is None
    assert color_transfer.check("contnt").hint == "did you mean content?"
    monkeypatch.setitem(sys.modules, "skimage", None)
    for mode in ("lab", "match-histogram"):
        assert "pip install 'nst[color]'" in color_transfer.check(mode).hint


@pytest.mark.frameworks
@pytest.mark.parametrize("mode", MODES)
def test_a_mode_decides_the_picture(mode, make_network, photo, plugins, tmp_path):
    from nst.vgg.network import write

    if MODES[mode].needs:
        pytest.importorskip(MODES[mode].needs)
    weights = str(write(tmp_path / "small.safetensors", make_network()))
    content, style = photo(36, 48), photo(40, 40, seed=1)
    recipe = Recipe(color=mode, size=48, levels=1, steps=2, device="cpu", weights=weights)
    plain = stylize(content, style, recipe.override(color="style"), plugins=plugins).pixels
    found = stylize(content, style, recipe, plugins=plugins).pixels
    (prepared,) = color_transfer.prepared(mode, [style], content)
    by_hand = stylize(content, prepared, recipe.override(color="style"), plugins=plugins).pixels
    assert (found == color_transfer.finished(mode, by_hand, content)).all()
    assert (found == plain).all() == (mode == "style")


@pytest.mark.frameworks
def test_a_wrong_mode_stops_a_run_before_it_begins(photo, plugins):
    with pytest.raises(UserError, match="unknown color mode 'sepia'"):
        stylize(photo(), photo(seed=1), Recipe(color="sepia"), plugins=plugins)
