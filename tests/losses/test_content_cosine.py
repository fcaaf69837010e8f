"""The cosine content loss: direction alone, and a slope where there is none."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine

from nst.losses.content import Content
from nst.losses.content_cosine import ContentCosine
from nst.vgg.reference import ReferenceVGG

xp = ReferenceVGG.xp
LOSS = ContentCosine()
seeds = st.integers(0, 2**32 - 1)


def features(seed, height=5, width=7, channels=4):
    return np.random.default_rng(seed).normal(size=(height, width, channels))


@given(seeds, seeds)
@settings(max_examples=30)
def test_it_is_twice_the_cosine_distance_at_each_position(one, other):
    f, target = features(one), features(other)
    found = LOSS.difference(xp, f, target)
    expected = [[2 * cosine(*pair) for pair in zip(*rows, strict=True)] for rows in zip(f, target, strict=True)]
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert LOSS.energy(xp, target) == 1.0


def test_strength_does_not_matter():
    f, strength = features(0), np.random.default_rng(1).uniform(0.5, 2, size=(5, 7, 1))
    np.testing.assert_allclose(LOSS.difference(xp, strength * f, f), 0, atol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_never_below_0_and_0_at_the_target(dtype):
    f = np.maximum(features(0, 40, 40, 64), 0).astype(dtype)
    assert (LOSS.difference(xp, f, f + f.dtype.type(1e-4)) >= 0).all()
    assert not LOSS.difference(xp, f, f).any()


def test_features_of_nothing_are_like_nothing_and_have_a_slope():
    nothing, f = np.zeros((5, 7, 4)), features(0)
    assert not LOSS.difference(xp, nothing, nothing).any()
    found = LOSS.difference(xp, nothing, f)
    np.testing.assert_allclose(found, 2, atol=0.01)
    np.testing.assert_allclose(LOSS.difference(xp, nothing + 1e-8, f), found, atol=1e-3)


def test_it_holds_like_content_where_strength_is_right():
    f = features(0, 30, 30, 64)
    turned = f + 0.1 * features(1, 30, 30, 64)
    turned *= np.linalg.norm(f, axis=-1, keepdims=True) / np.linalg.norm(turned, axis=-1, keepdims=True)
    content = Content().difference(xp, turned, f).mean() / Content().energy(xp, f).mean()
    assert LOSS.difference(xp, turned, f).mean() == pytest.approx(content, rel=0.1)
