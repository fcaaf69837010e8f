"""Ridge regression finds the convolution, and its statistics make inputs uncorrelated."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from nst_torch.compress.regression import Regression, packed, sampled, unpacked

pytestmark = pytest.mark.frameworks
RNG = torch.Generator().manual_seed(0)
PICTURES = torch.rand(4, 3, 12, 10, generator=RNG)
CONVOLUTION = torch.randn(5, 3, 3, 3, generator=RNG), torch.randn(5, generator=RNG)
OUTPUTS = F.conv2d(PICTURES, *CONVOLUTION, padding=1)
PLACES = torch.randperm(4 * 12 * 10, generator=RNG)[:300]


@pytest.fixture
def outputs():
    """What the convolution gives at the places."""
    return OUTPUTS.permute(0, 2, 3, 1).flatten(0, 2)[PLACES]


@pytest.fixture
def regression():
    return Regression(sampled(PICTURES, PLACES))


def error(matrix):
    """Of the convolution everywhere, after the ReLU."""
    found = F.conv2d(PICTURES, *unpacked(matrix), padding=1).relu()
    return float((found - OUTPUTS.relu()).norm() / OUTPUTS.relu().norm())


def test_a_convolution_is_found_again_from_what_it_does_at_some_places(regression, outputs):
    assert error(regression.solve(outputs)) < 1e-2


def test_the_surroundings_of_a_place_are_what_the_convolution_sees(outputs):
    found = sampled(PICTURES, PLACES) @ packed(*CONVOLUTION).T
    torch.testing.assert_close(found, outputs, rtol=1e-4, atol=1e-5)


def test_the_inverse_root_makes_inputs_uncorrelated(regression):
    white = regression.rows @ torch.linalg.inv(regression.root()).T
    covariance = white.T @ white / len(white)
    assert float((covariance - torch.eye(len(covariance))).abs().max()) < 0.2  # the damping's share


def test_a_convolution_survives_being_a_matrix():
    again = unpacked(packed(*CONVOLUTION))
    assert torch.equal(again[0], CONVOLUTION[0])
    assert torch.equal(again[1], CONVOLUTION[1])
