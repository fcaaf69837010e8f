"""Noise with the styles' spectrum, against the properties its papers state."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst_initializers.pictures import cover
from nst_initializers.random_phase import _periodic, random_phase

SIZES = st.tuples(st.integers(1, 40), st.integers(1, 40))
MIXING = np.array([[0.03, 0.01, 0.0], [0.01, 0.02, 0.01], [0.0, 0.01, 0.02]])


def faint(size, seed=0):
    """`Pixels` of correlated colors around a mean, so faint that no noise made of them is ever clipped."""
    noise = np.random.default_rng(seed).normal(size=(*size, 3)).cumsum(axis=0)
    return (0.2 * noise / max(size) @ MIXING + [0.6, 0.5, 0.4]).astype(np.float32)


def noise(size, styles, seed=1, **options):
    return random_phase(np.zeros((*size, 3), np.float32), styles, np.random.default_rng(seed), **options)


def cross_spectrum(pixels):
    """`(H, W, 3, 3)`: each channel's transform times each other's conjugate; power spectra on the diagonal."""
    spectrum = np.fft.fft2(pixels.astype(np.float64), axes=(0, 1))
    return spectrum[..., :, None] * spectrum[..., None, :].conj() / pixels[..., 0].size


@given(size=SIZES)
def test_power_spectra_and_how_channels_go_together_are_the_styles(size):
    style = faint(size)
    expected = cross_spectrum(_periodic(style.astype(np.float64)))
    np.testing.assert_allclose(cross_spectrum(noise(size, [style])), expected, atol=1e-6)


@given(size=SIZES, other=SIZES)
def test_the_mean_is_that_of_the_style_as_it_covers_the_content(size, other):
    style = faint(other)
    expected = cover(style, np.zeros((*size, 3), np.float32)).mean(axis=(0, 1))
    np.testing.assert_allclose(noise(size, [style]).mean(axis=(0, 1)), expected, atol=1e-5)


def test_colors_vary_together_as_the_styles_do():
    style = faint((32, 45))
    periodic = _periodic(style.astype(np.float64)).reshape(-1, 3)
    np.testing.assert_allclose(np.cov(noise((32, 45), [style]).reshape(-1, 3).T), np.cov(periodic.T), rtol=1e-3)


def test_what_the_style_depicts_is_gone():
    style = faint((64, 64))
    left = np.corrcoef(noise((64, 64), [style])[..., 0].ravel(), style[..., 0].ravel())[0, 1]
    assert abs(left) < 0.5


def test_several_styles_average_their_spectra():
    """Over many seeds: of two independent noises, the products of one with the other vanish."""
    size = (6, 5)
    styles = [faint(size, seed) for seed in (3, 4)]
    found = np.mean([cross_spectrum(noise(size, styles, seed)) for seed in range(2000)], axis=0)[1:]
    expected = np.mean([cross_spectrum(_periodic(style.astype(np.float64))) for style in styles], axis=0)[1:]
    np.testing.assert_allclose(found, expected, atol=0.1 * np.abs(expected).max())


@given(size=SIZES)
def test_the_periodic_picture_has_the_laplacian_of_the_given_one(size):
    """Moisan's definition: computed inside the picture for the one, around its borders for the other."""
    picture = faint(size).astype(np.float64)
    around, inside = (
        np.pad(_periodic(picture), ((1, 1), (1, 1), (0, 0)), "wrap"),
        np.pad(picture, ((1, 1), (1, 1), (0, 0)), "edge"),
    )
    one, other = (
        padded[2:, 1:-1] + padded[:-2, 1:-1] + padded[1:-1, 2:] + padded[1:-1, :-2] - 4 * padded[1:-1, 1:-1]
        for padded in (around, inside)
    )
    np.testing.assert_allclose(one, other, atol=1e-12)
    np.testing.assert_allclose(_periodic(picture).mean(), picture.mean(), atol=1e-12)


@pytest.mark.parametrize("ratio", [0, 0.3, 1])
def test_ratio_mixes_linearly_from_the_content(ratio):
    content, style = faint((12, 9)), faint((20, 8), seed=1)
    mixed, alone = (random_phase(content, [style], np.random.default_rng(2), ratio=share) for share in (ratio, 1.0))
    np.testing.assert_allclose(mixed, (1 - ratio) * content + ratio * alone, atol=1e-6)
