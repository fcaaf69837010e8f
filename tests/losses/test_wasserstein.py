"""The Wasserstein loss: the distance of Gaussians by its definition, in float32, whatever the covariances."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.linalg import sqrtm

from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, style_terms
from nst.engine.tiling import whole
from nst.losses.wasserstein import ROUNDING, SCALE, Wasserstein
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

xp = ReferenceVGG.xp
LOSS = Wasserstein()


def features(seed, height=9, width=7, channels=4, mean=0.5):
    """Correlated channels, as a network has."""
    rng = np.random.default_rng(seed)
    return rng.normal(mean, size=(height, width, channels)) @ rng.normal(size=(channels, channels))


def gaussian(f):
    rows = f.reshape(-1, f.shape[-1]).astype(np.float64)
    return rows.mean(axis=0), np.cov(rows.T, bias=True).reshape(rows.shape[1], rows.shape[1])


def by_definition(f, target, floor=0.0, rounding=0.0):
    """With SciPy's roots; on the diagonals, `floor` of the target's norm and `rounding` of each energy."""
    (mean, covariance), (target_mean, target_covariance) = gaussian(f), gaussian(target)
    identity, least = np.eye(len(mean)), floor * np.linalg.norm(target_covariance)
    one = covariance + (least + rounding * energy(f)) * identity
    other = target_covariance + (least + rounding * energy(target)) * identity
    root = sqrtm(other)
    shared = np.trace(sqrtm(root @ one @ root).real)
    apart = np.sum((mean - target_mean) ** 2) + np.trace(one) + np.trace(other) - 2 * shared
    return SCALE * apart / energy(target)


def energy(f):
    return np.mean(np.sum(f.astype(np.float64) ** 2, axis=-1))


def distance(f, target, loss=LOSS, namespace=xp):
    return float(loss.distance(namespace, *(loss.statistic(namespace, each, None) for each in (f, target))))


def float32(f):
    return f.astype(np.float32)


@given(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1), st.floats(0.2, 5))
@settings(max_examples=30)
def test_it_is_the_distance_of_gaussians(one, other, strength):
    f, target = features(one), strength * features(other)
    assert distance(f, target) == pytest.approx(by_definition(f, target, 1e-3, ROUNDING), rel=1e-3, abs=1e-5)


def test_the_floor_changes_little():
    f, target = features(0, 40, 40), features(1, 40, 40)
    assert distance(f, target) == pytest.approx(by_definition(f, target), rel=0.01)


def test_gaussians_of_one_channel_differ_by_mean_and_deviation():
    f = np.random.default_rng(0).normal(size=(9, 9, 1))
    expected = ((2 * f.std() - f.std()) ** 2 + (2 * f.mean() + 3 - f.mean()) ** 2) / np.mean(f**2)
    assert distance(2 * f + 3, f) == pytest.approx(SCALE * expected, rel=1e-3)


def test_the_mean_comes_first_then_the_second_moments():
    f, weight = features(0), np.random.default_rng(1).uniform(size=(9, 7))
    share = weight / weight.sum()
    found = LOSS.statistic(xp, f, weight)
    np.testing.assert_allclose(found[0], np.einsum("hw,hwc->c", share, f))
    np.testing.assert_allclose(found[1:], np.einsum("hw,hwc,hwd->cd", share, f, f))


def test_tiles_add_up():
    f = features(0, 12, 10)
    tiles = f[:5], f[5:]
    parts = [tile.shape[0] / 12 * LOSS.statistic(xp, tile, None) for tile in tiles]
    np.testing.assert_allclose(sum(parts), LOSS.statistic(xp, f, None))


@pytest.mark.parametrize("floor", [1e-3, 1e-2, 0.1])
@given(seed=st.integers(0, 2**32 - 1))
@settings(max_examples=10)
def test_a_picture_is_at_no_distance_from_itself_in_float32(floor, seed):
    f = float32(np.maximum(features(seed, 12, 12, 32), 0))
    assert 0 <= distance(f, f, Wasserstein(floor)) < 1e-5


DEGENERATE = {
    "a black picture": lambda f: 0 * f,
    "a flat picture": lambda f: 0 * f + f[:1, :1],
    "dead channels": lambda f: f * (np.arange(f.shape[-1]) % 2),
    "one channel many times": lambda f: f[..., :1] + 0 * f,
    "fewer positions than channels": lambda f: f[:2, :3],
    "a single position": lambda f: f[:1, :1],
    "strong features": lambda f: 1e4 * f,
    "weak features": lambda f: 1e-3 * f,
}


@pytest.mark.parametrize("degrade", DEGENERATE.values(), ids=DEGENERATE)
def test_float32_is_enough_for_covariances_without_an_inverse(degrade):
    whole = np.maximum(features(0, 16, 16, 48), 0)
    degraded = degrade(whole)
    for f, target in ((whole, degraded), (degraded, whole), (degraded, degraded)):
        found = distance(float32(f), float32(target))
        assert np.isfinite(found)
        assert found >= 0
        if f is target:
            assert found < 1e-4
        if np.ptp(target) > 0:
            assert found == pytest.approx(by_definition(f, target, 1e-3, ROUNDING), rel=2e-3, abs=1e-5)


@pytest.mark.parametrize("channels", [16, 64, 256])
def test_the_number_of_channels_hardly_matters(channels):
    """Channels of one kind: as many again change nothing but for the floor."""
    rng = np.random.default_rng(0)
    f, target = (np.maximum(rng.normal(shift, size=(64, 64, channels)), 0) for shift in (0.0, 0.5))
    assert distance(f, target) == pytest.approx(distance(f[..., :8], target[..., :8]), rel=0.2)


def test_the_size_of_the_picture_does_not_matter():
    f, target = features(0), features(1)
    assert distance(np.tile(f, (3, 2, 1)), np.tile(target, (1, 4, 1))) == pytest.approx(distance(f, target))


def test_a_larger_floor_takes_fewer_iterations():
    counted = [len(Wasserstein(floor)._scales) for floor in (1e-3, 1e-2, 0.1)]
    assert counted == [10, 8, 6]


def test_descent_along_the_gradient_comes_down(make_network, photo):
    backend = ReferenceVGG(make_network())
    use, one = WeightedLoss("style", LOSS, at({"relu1_1": 1.0}), 1.0), whole((6, 6))
    terms = style_terms(backend, use, Region([photo(6, 6, seed=1)], [1.0]), one)
    objective, image = build_objective(backend, terms, one), photo(6, 6)
    start = objective(image)
    norm = np.linalg.norm(start.gradient)
    step = 1e-2
    lower = objective(image - step * start.gradient / norm)
    assert start.loss - lower.loss == pytest.approx(step * norm, rel=0.3)
