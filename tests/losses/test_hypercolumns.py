"""Hypercolumns have every layer at each cell, and the search finds the most similar ones, however it is cut."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.losses import hypercolumns as module
from nst.losses.hypercolumns import cell_grid, hypercolumns, nearest, reduce_dimensions
from nst.testing.losses import HostFeatures

RNG = np.random.default_rng(0)


def maps(height, width, strides, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    features = {
        f"layer{step}": rng.normal(size=(max(1, height // step), max(1, width // step), channels)).astype(np.float32)
        for step in strides
    }
    return HostFeatures(np.zeros((height, width, 3), np.float32), {f"layer{step}": step for step in strides}, features)


def unit(count, dimensions, seed):
    vectors = np.random.default_rng(seed).normal(size=(count, dimensions)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_a_fine_layer_is_averaged_over_each_cell():
    features = maps(8, 12, [1])
    found = hypercolumns(features, (2, 3)).reshape(2, 3, 3)
    np.testing.assert_allclose(found[1, 2], features["layer1"][4:8, 8:12].mean(axis=(0, 1)) / 3, rtol=1e-5)


def test_a_layer_of_cells_is_taken_as_it_is():
    features = maps(8, 12, [4])
    np.testing.assert_array_equal(hypercolumns(features, (2, 3)).reshape(2, 3, 3), features["layer4"] / 3)


def test_a_coarse_layer_is_interpolated_at_the_centers_of_the_cells():
    features = maps(16, 16, [8], channels=1)
    found, coarse = hypercolumns(features, (4, 4)).reshape(4, 4), features["layer8"][..., 0]
    assert found[0, 0] == coarse[0, 0]
    assert found[1, 0] == pytest.approx(0.75 * coarse[0, 0] + 0.25 * coarse[1, 0])
    assert found[2, 3] == pytest.approx(0.25 * coarse[0, 1] + 0.75 * coarse[1, 1])


@given(st.integers(1, 60), st.integers(1, 60), st.lists(st.sampled_from([1, 2, 3, 4, 8, 16]), min_size=1, max_size=4))
@settings(max_examples=60)
def test_any_size_and_any_strides_have_a_hypercolumn_at_each_cell(height, width, strides):
    cells = cell_grid((height, width, 3))
    found = hypercolumns(maps(height, width, dict.fromkeys(strides)), cells)
    assert found.shape == (cells[0] * cells[1], 3 * len(set(strides)))
    assert np.isfinite(found).all()


def test_the_nearest_has_the_greatest_cosine():
    query, references = unit(50, 8, 1), unit(70, 8, 2)
    index, score = nearest(query, references)
    np.testing.assert_array_equal(index, (query @ references.T).argmax(axis=1))
    np.testing.assert_allclose(score, (query @ references.T).max(axis=1), rtol=1e-6)


def test_matches_do_not_depend_on_the_size_of_the_blocks(monkeypatch):
    query, references = unit(50, 8, 1), np.concatenate([unit(70, 8, 2)] * 2)  # each reference stands there twice
    whole = nearest(query, references)[0]
    monkeypatch.setattr(module, "BLOCK", 3 * len(references))
    np.testing.assert_array_equal(nearest(query, references)[0], whole)
    assert whole.max() < 70


def test_a_penalty_leads_to_another_reference():
    query, references = unit(1, 8, 1), unit(5, 8, 2)
    first = nearest(query, references)[0]
    penalty = np.zeros(5, np.float32)
    penalty[first] = 3
    assert nearest(query, references, penalty)[0] != first


def test_few_dimensions_keep_the_neighbors():
    """Hypercolumns of rank 20 in 400 dimensions lose nothing in 40."""
    mixing = RNG.normal(size=(20, 400))
    query, style = (np.float32(np.random.default_rng(s).normal(size=(90, 20)) @ mixing) for s in (1, 2))
    exact, few = (reduce_dimensions(query, [style], dimensions) for dimensions in (400, 40))
    assert few[0].shape == (90, 40)
    np.testing.assert_array_equal(nearest(few[0], few[1][0])[0], nearest(exact[0], exact[1][0])[0])


def test_each_set_is_compared_by_its_deviation_from_its_own_mean():
    query = np.float32(RNG.normal(size=(40, 5)))
    one, (other,) = reduce_dimensions(query, [query + 7])
    np.testing.assert_allclose(one, other, atol=1e-5)


def test_flat_sets_have_no_direction_and_stay_finite():
    one, (other,) = reduce_dimensions(np.ones((9, 5), np.float32), [np.zeros((4, 5), np.float32)])
    assert np.isfinite(one).all()
    assert np.isfinite(other).all()
