"""The histogram loss: optimal transport of each channel's values, between pictures of any two sizes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import NstError
from nst.losses.histogram import SCALE, Histogram
from nst.vgg.reference import ReferenceVGG

xp = ReferenceVGG.xp
seeds = st.integers(0, 2**32 - 1)


def features(seed, height=16, width=12, channels=3):
    return np.random.default_rng(seed).gamma(0.7, size=(height, width, channels))


def statistic(f, groups=64):
    return Histogram(groups).statistic(xp, f, None)


def distance(f, target, groups=64):
    return float(Histogram(groups).distance(xp, statistic(f, groups), statistic(target, groups)))


def transport(f, target):
    """The squared Wasserstein distance of each channel's values, by its definition: sorted against sorted."""
    return np.mean((np.sort(f.reshape(-1, 3), axis=0) - np.sort(target.reshape(-1, 3), axis=0)) ** 2, axis=0)


@given(seeds, seeds, st.floats(0.1, 10))
@settings(max_examples=20)
def test_with_a_group_for_each_value_it_is_optimal_transport(one, other, strength):
    f, target = features(one), strength * features(other)
    expected = SCALE * transport(f, target).sum() / np.mean(np.sum(target**2, axis=-1))
    assert distance(f, target, groups=16 * 12) == pytest.approx(expected)


@given(st.integers(1, 200), st.integers(1, 90), seeds)
@settings(max_examples=50)
def test_groups_are_means_of_equal_parts_of_the_sorted_values(count, groups, seed):
    """However many there are: each value is laid out `groups` times, which `groups` parts always divide."""
    f = features(seed, count, 1)
    laid_out = np.repeat(np.sort(f[:, 0], axis=0), groups, axis=0)
    np.testing.assert_allclose(statistic(f, groups), laid_out.reshape(groups, count, 3).mean(axis=1))


def test_sixty_four_groups_are_nearly_all():
    f, target = features(0, 64, 48), features(1, 64, 48) + 0.3
    expected = SCALE * transport(f, target).sum() / np.mean(np.sum(target**2, axis=-1))
    assert distance(f, target) == pytest.approx(expected, rel=0.02)


@pytest.mark.parametrize("shape", [(3, 5), (8, 8), (31, 33), (96, 64)])
def test_pictures_of_different_size_compare(shape):
    """A ramp is a ramp, and twice as strong a ramp is as far, at any size, with values for every group or without."""
    count = shape[0] * shape[1]
    ramp = ((np.arange(count) + 0.5) / count).reshape(*shape, 1)
    other = ((np.arange(37 * 41) + 0.5) / (37 * 41)).reshape(37, 41, 1)
    assert distance(ramp, other) == pytest.approx(0, abs=0.05 / count)
    assert distance(2 * ramp, other) == pytest.approx(SCALE, rel=0.05)


def test_where_values_are_does_not_matter():
    f = features(0)
    shuffled = np.random.default_rng(1).permutation(f.reshape(-1, 3)).reshape(f.shape)
    assert distance(shuffled, f) == 0


@pytest.mark.parametrize("level", [0.0, 2.0], ids=["black", "flat"])
def test_a_picture_of_one_value_has_a_finite_loss(level):
    flat = np.full((5, 5, 3), level)
    assert distance(flat, flat) == 0
    assert np.isfinite([distance(flat, features(0)), distance(features(0), flat)]).all()


def test_a_weight_is_refused():
    with pytest.raises(NstError, match="cannot weight positions"):
        Histogram().statistic(xp, features(0), np.ones((16, 12)))


def test_single_precision_shares_add_up_for_a_large_picture():
    f = np.ones((700, 900, 1), np.float32)
    np.testing.assert_allclose(statistic(f), 1, rtol=1e-5)
