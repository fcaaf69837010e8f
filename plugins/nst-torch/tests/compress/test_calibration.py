"""Crops and textures: varied, in range, and the same for the same seed."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from nst_torch.compress.calibration import Calibration, centers

pytestmark = pytest.mark.frameworks


def drawn(pictures, seed, count=24, size=32):
    return Calibration(pictures, size, np.random.default_rng(seed)).draw(count)


def test_crops_are_squares_in_range_and_no_two_alike(pictures):
    found = drawn(pictures, 0)
    assert found.shape == (24, 3, 32, 32)
    assert float(found.min()) >= 0
    assert float(found.max()) <= 1
    assert len({float(crop.sum()) for crop in found}) == 24


def test_a_seed_is_a_choice_of_pictures(pictures):
    assert torch.equal(drawn(pictures, 1), drawn(pictures, 1))
    assert not torch.equal(drawn(pictures, 1), drawn(pictures, 2))


@pytest.mark.parametrize("shape", [(20, 20), (33, 200), (300, 40)])
def test_pictures_of_any_size_will_do(shape):
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3)).astype(np.uint8)
    assert drawn([[picture]], 0).shape == (24, 3, 32, 32)


def test_centers_are_the_pictures_themselves(pictures):
    square = pictures[0][0][:40, 4:44]
    np.testing.assert_allclose(centers(pictures[0][:1], 40)[0].permute(1, 2, 0) * 255, square, atol=1e-3)
