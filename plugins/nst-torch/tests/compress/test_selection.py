"""The channels chosen are those that explain the others."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from nst_torch.compress.selection import choose, explained

pytestmark = pytest.mark.frameworks


def activations(seed, channels, places=50):
    return np.maximum(np.random.default_rng(seed).normal(size=(channels, places)), 0)


def gram(values):
    return torch.from_numpy(values @ values.T)


def test_of_copies_one_each_is_enough():
    some = activations(0, 3)
    chosen, share = choose(gram(np.concatenate([some, 2 * some])), 3)
    assert sorted(channel % 3 for channel in chosen) == [0, 1, 2]
    assert share == pytest.approx(1)


def test_a_silent_channel_is_chosen_last():
    values = activations(0, 4)
    values[1] = 0
    assert choose(gram(values), 3)[0] == [0, 2, 3]
    assert choose(gram(values), 4)[0] == [0, 1, 2, 3]


@given(st.integers(0, 1000), st.integers(1, 8))
def test_the_share_is_what_least_squares_explains(seed, count):
    values = activations(seed, 8)
    chosen, share = choose(gram(values), count)
    solution = np.linalg.lstsq(values[chosen].T, values.T, rcond=None)[0]
    rest = values.T - values[chosen].T @ solution
    assert share == pytest.approx(1 - np.square(rest).sum() / np.square(values).sum(), abs=1e-6)
    assert explained(gram(values), torch.tensor(chosen)) == pytest.approx(share, abs=1e-4)


def test_channels_already_held_are_kept():
    values = activations(3, 6)
    best = choose(gram(values), 2)[0]
    others = [channel for channel in range(6) if channel not in best][:2]
    assert set(others) < set(choose(gram(values), 4, others)[0])


def test_greedy_choice_beats_the_first_channels():
    values = np.concatenate([0.1 * activations(1, 6), activations(2, 6)])
    assert choose(gram(values), 6)[1] > explained(gram(values), torch.arange(6)) + 0.1
