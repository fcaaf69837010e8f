"""Each loss is its formula. What all losses promise is tested in `test_conformance.py`."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.losses.range import Range
from nst.losses.total_variation import TotalVariation
from nst.vgg.reference import ReferenceVGG

xp = ReferenceVGG.xp
seeds = st.integers(0, 2**32 - 1)


def features(seed, height=5, width=7, channels=4):
    return np.random.default_rng(seed).normal(size=(height, width, channels))


def test_gram_is_the_mean_outer_product():
    f = features(0)
    expected = np.einsum("hwc,hwd->cd", f, f) / (5 * 7)
    np.testing.assert_allclose(Gram().statistic(xp, f, None), expected)


@given(seeds, seeds)
@settings(max_examples=30)
def test_gram_distance_is_the_relative_squared_distance(one, other):
    a, b = (Gram().statistic(xp, features(seed), None) for seed in (one, other))
    assert Gram().distance(xp, a, b) == pytest.approx(np.sum((a - b) ** 2) / np.sum(b**2))


@given(seeds, seeds)
@settings(max_examples=30)
def test_content_is_the_relative_squared_distance(one, other):
    content, f, target = Content(), features(one), features(other)
    found = content.difference(xp, f, target).mean() / content.energy(xp, target).mean()
    assert content.difference(xp, f, target).shape == (5, 7)
    assert found == pytest.approx(np.sum((f - target) ** 2) / np.sum(target**2))


def test_total_variation_counts_every_neighbor_once():
    image = np.random.default_rng(0).uniform(size=(4, 6, 3))
    expected = np.sum(np.diff(image, axis=0) ** 2) + np.sum(np.diff(image, axis=1) ** 2)
    difference = TotalVariation().difference(xp, image, image)
    assert difference.shape == (4, 6)
    assert difference.sum() == pytest.approx(expected)


def test_total_variation_of_white_noise_is_1_at_any_size():
    for side in (64, 128):
        noise = np.random.default_rng(0).uniform(size=(side, side, 3))
        assert TotalVariation().difference(xp, noise, noise).mean() == pytest.approx(1, rel=0.05)


def test_range_costs_only_what_is_beyond_0_to_1():
    image = np.random.default_rng(0).uniform(size=(4, 6, 3))
    assert not Range().difference(xp, image, image).any()
    image[1, 2], image[3, 4, 0] = 1.5, -0.2
    expected = np.zeros((4, 6))
    expected[1, 2], expected[3, 4] = 3 * 0.25, 0.04
    np.testing.assert_allclose(Range().difference(xp, image, image), expected)
