"""What each initializer is for. What all promise is tested in `test_conformance.py`."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

import nst_initializers

SPECS = {spec.name: spec for spec in nst_initializers.nst_initializers()}


def picture(size, look="photo", seed=0):
    """`Pixels` of a smooth random picture, with colors that are correlated, of one hue, or all alike."""
    rng = np.random.default_rng(seed)
    if look == "photo":
        mixing = np.array([[0.20, 0.05, 0.02], [0.03, 0.12, 0.05], [0.02, 0.06, 0.09]])
        return (rng.uniform(-1, 1, (*size, 3)) @ mixing + [0.5, 0.45, 0.4]).astype(np.float32)
    if look == "gray":
        return np.repeat(rng.random((*size, 1), dtype=np.float32), 3, axis=2)
    return np.full((*size, 3), {"flat": (0.2, 0.5, 0.7), "black": 0, "white": 1}[look], np.float32)


def start(name, content, styles, seed=1, **options):
    return SPECS[name].load()(content, styles, np.random.default_rng(seed), **options)


def moments(pixels):
    colors = pixels.reshape(-1, 3).astype(np.float64)
    return colors.mean(axis=0), np.cov(colors.T, bias=True)


def test_content_is_the_content():
    content = picture((9, 7))
    np.testing.assert_array_equal(start("content", content, [picture((3, 3))]), content)


def test_style_of_the_same_size_is_the_style():
    style = picture((9, 7), seed=1)
    np.testing.assert_array_equal(start("style", picture((9, 7)), [style, picture((4, 4))]), style)


@pytest.mark.parametrize("size", [(20, 60), (60, 20), (10, 30), (40, 120)])
def test_style_is_cropped_around_its_center(size):
    style = np.zeros((*size, 3), np.float32)
    height, width = size
    side = min(size)
    top, left = (height - side) // 2, (width - side) // 2
    style[top : top + side, left : left + side] = 1
    found = start("style", picture((20, 20)), [style])
    assert found[2:-2, 2:-2].min() > 0.95


def test_blend_mixes_the_content_with_the_mean_of_the_styles():
    content, first, second = picture((9, 7)), picture((9, 7), seed=1), picture((9, 7), seed=2)
    both = (first + second) / 2
    for ratio, expected in ((0, content), (1, both), (0.25, 0.75 * content + 0.25 * both)):
        np.testing.assert_allclose(start("blend", content, [first, second], ratio=ratio), expected, atol=1e-6)


@pytest.mark.parametrize("value", [0, 0.25, 1])
def test_gray_is_flat(value):
    assert np.unique(start("gray", picture((9, 7)), [picture((3, 3))], value=value)) == [value]


@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_noise_has_the_mean_and_deviation_asked_for(distribution):
    content = picture((120, 110))
    found = start("noise", content, [content], distribution=distribution, mean=0.4, std=0.1)
    np.testing.assert_allclose(found.mean(axis=(0, 1)), 0.4, atol=0.005)
    np.testing.assert_allclose(found.std(axis=(0, 1)), 0.1, atol=0.005)
    np.testing.assert_allclose(np.corrcoef(found.reshape(-1, 3).T), np.eye(3), atol=0.05)


def test_noise_is_uniform_or_normal():
    content = picture((120, 110))
    uniform, normal = (start("noise", content, [content], distribution=name, std=0.1) for name in ("uniform", "normal"))
    assert np.abs(uniform - 0.5).max() == pytest.approx(np.sqrt(3) * 0.1, rel=0.01)
    assert np.mean(np.abs(normal - 0.5) < 0.1) == pytest.approx(0.683, abs=0.02)


@pytest.mark.parametrize("match", ["content", "style"])
@pytest.mark.parametrize("distribution", ["uniform", "normal"])
def test_noise_matches_a_picture_channel_by_channel(match, distribution):
    content, style = picture((120, 110)), (0.5 * picture((90, 80), seed=1) + 0.2).astype(np.float32)
    found = start("noise", content, [style], match=match, distribution=distribution)
    mean, covariance = moments({"content": content, "style": style}[match])
    np.testing.assert_allclose(found.mean(axis=(0, 1)), mean, atol=0.01)
    np.testing.assert_allclose(found.std(axis=(0, 1)), np.sqrt(np.diag(covariance)), rtol=0.03)


def test_noise_ratio_mixes_linearly_from_the_content():
    content = picture((30, 20))
    nothing, some, all_of_it = (start("noise", content, [content], ratio=ratio) for ratio in (0, 0.25, 1))
    np.testing.assert_array_equal(nothing, content)
    np.testing.assert_allclose(some, 0.75 * content + 0.25 * all_of_it, atol=1e-6)


def test_noise_differs_between_seeds():
    content = picture((9, 7))
    assert not np.array_equal(*(start("noise", content, [content], seed=seed) for seed in (1, 2)))


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_style_stats_match_mean_and_covariance(seed):
    shrink = np.random.default_rng(seed).uniform(0.2, 0.9, 3)
    content = picture((40, 37), seed=seed)
    style = (picture((25, 33), seed=seed + 1)[..., ::-1] * shrink + 0.05).astype(np.float32)
    found = start("style-stats", content, [style])
    for got, wanted in zip(moments(found), moments(style), strict=True):
        np.testing.assert_allclose(got, wanted, atol=2e-4)


@settings(max_examples=25)
@given(seed=st.integers(0, 999))
def test_style_stats_are_the_optimal_transport_of_colors(seed):
    """Pitié & Kokaram (2007), eq. 10, with SciPy's matrix square root."""
    content, style = picture((40, 37), seed=seed), (0.6 * picture((25, 33), seed=seed + 1) + 0.2).astype(np.float32)
    (before, spread), (after, wanted) = moments(content), moments(style)
    inverse = np.linalg.inv(sqrtm(spread))
    transport = inverse @ sqrtm(sqrtm(spread) @ wanted @ sqrtm(spread)) @ inverse
    expected = ((content - before) @ transport.real + after).clip(0, 1)
    np.testing.assert_allclose(start("style-stats", content, [style]), expected, atol=1e-4)


def test_style_stats_of_the_contents_own_colors_change_nothing():
    content = picture((40, 37))
    np.testing.assert_allclose(start("style-stats", content, [content]), content, atol=1e-5)


def test_style_stats_average_the_styles():
    styles = [picture((20, 20), seed=1), 0.5 * picture((90, 9), seed=2)]
    mean, covariance = moments(start("style-stats", picture((40, 37)), styles))
    expected = [moments(style) for style in styles]
    np.testing.assert_allclose(mean, sum(one for one, _ in expected) / 2, atol=1e-3)
    np.testing.assert_allclose(covariance, sum(one for _, one in expected) / 2, atol=1e-3)


@pytest.mark.parametrize("look", ["gray", "flat", "black", "white"])
def test_style_stats_of_degenerate_colors(look):
    photo, other = picture((40, 37)), picture((30, 20), look)
    mean, covariance = moments(start("style-stats", photo, [other]))
    if look != "gray":  # whose range a photo's colors overrun
        np.testing.assert_allclose(mean, moments(other)[0], atol=1e-3)
        np.testing.assert_allclose(covariance, 0, atol=1e-6)
    mean, covariance = moments(start("style-stats", other, [photo]))
    np.testing.assert_allclose(mean, moments(photo)[0], atol=1e-3)
    assert np.linalg.matrix_rank(covariance, tol=1e-5) == (1 if look == "gray" else 0)


def test_style_stats_do_not_stretch_what_rounding_left():
    rounded = 0.5 + np.random.default_rng(0).integers(0, 2, (40, 37, 3)).astype(np.float32) / 255
    assert start("style-stats", rounded, [picture((30, 20))]).std(axis=(0, 1)).max() < 1e-5
