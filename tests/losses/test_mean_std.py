"""The loss of means and deviations: AdaIN's statistics, and a slope where nothing varies."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.losses import wasserstein
from nst.losses.mean_std import SCALE, MeanStd
from nst.losses.wasserstein import Wasserstein
from nst.vgg.reference import ReferenceVGG

xp = ReferenceVGG.xp
LOSS = MeanStd()
seeds = st.integers(0, 2**32 - 1)


def features(seed, height=5, width=7, channels=4):
    return np.random.default_rng(seed).normal(1.0, size=(height, width, channels))


def distance(f, target, loss=LOSS):
    return float(loss.distance(xp, *(loss.statistic(xp, each, None) for each in (f, target))))


@given(seeds, seeds, st.floats(0.1, 10))
@settings(max_examples=30)
def test_it_compares_means_and_deviations(one, other, strength):
    f, target = features(one), strength * features(other)
    differences = [each(f, axis=(0, 1)) - each(target, axis=(0, 1)) for each in (np.mean, np.std)]
    energy = np.sum(target.mean(axis=(0, 1)) ** 2) + np.sum(target.var(axis=(0, 1)))
    assert distance(f, target) == pytest.approx(SCALE * np.sum(np.square(differences)) / energy, rel=1e-3, abs=1e-12)


def test_a_weight_counts_positions():
    f, weight = features(0), np.zeros((5, 7))
    weight[1:3, 2:6] = 0.5
    np.testing.assert_allclose(LOSS.statistic(xp, f, weight), LOSS.statistic(xp, f[1:3, 2:6], None))


def test_tiles_add_up():
    f = features(0, 12, 10)
    parts = [part.shape[1] / 10 * LOSS.statistic(xp, part, None) for part in (f[:, :3], f[:, 3:])]
    np.testing.assert_allclose(sum(parts), LOSS.statistic(xp, f, None))


@pytest.mark.parametrize("degraded", [0, 3], ids=["black", "flat"])
def test_a_picture_that_does_not_vary_has_a_finite_loss_and_slope(degraded):
    flat, other = 0 * features(0) + degraded, features(1)
    assert distance(flat, flat) == 0
    for f, target in ((flat, other), (other, flat)):
        nudged = f + 1e-6 * features(2)
        assert np.isfinite(distance(f, target))
        if np.any(target):
            assert abs(distance(nudged, target) - distance(f, target)) < 1e-3


def test_rounding_below_no_variance_is_no_variance():
    """In float32 the mean of squares may come out below the square of the mean."""
    statistic = np.array([[1.0, 2.0], [1.0 - 1e-7, 4.0 - 1e-6]], np.float32)
    assert LOSS.distance(xp, statistic, np.array([[1.0, 2.0], [1.0, 4.0]], np.float32)) == 0


def test_it_is_the_wasserstein_loss_where_channels_are_independent():
    y, x = np.mgrid[0:32, 0:32] / 32
    one, other = np.sin(2 * np.pi * x), np.sin(2 * np.pi * y)
    f, target = np.stack([one, other], axis=-1) + 1, np.stack([2 * one, 3 * other], axis=-1) + 0.5
    whole = distance(f, target, Wasserstein()) / wasserstein.SCALE
    assert distance(f, target) / SCALE == pytest.approx(whole, rel=0.01)


def test_a_change_of_strength_weighs_as_much_as_in_gram():
    from nst.losses.gram import Gram

    f = features(0)
    assert distance(1.01 * f, f) == pytest.approx(distance(1.01 * f, f, Gram()), rel=0.02)
