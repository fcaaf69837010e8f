"""Ridge regression finds the convolution, and its statistics make inputs uncorrelated."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from nst_torch.compress.regression import Regression, packed, unpacked

pytestmark = pytest.mark.frameworks


@pytest.fixture
def known():
    """Inputs, a convolution, its outputs, and a regression that has seen both in two batches."""
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(4, 3, 12, 10, generator=rng)
    conv = torch.randn(5, 3, 3, 3, generator=rng), torch.randn(5, generator=rng)
    y = F.conv2d(x, *conv, padding=1)
    regression = Regression(3, 5)
    for part in (slice(0, 2), slice(2, 4)):
        regression.add(x[part], y[part], torch.arange(2 * 12 * 10))
    return x, conv, y, regression


def test_a_convolution_is_found_again_from_what_it_does(known):
    x, _, y, regression = known
    found = F.conv2d(x, *regression.solve(), padding=1)
    assert float((found - y).norm() / y.norm()) < 1e-2


def test_some_places_are_enough(known):
    x, _, y, _ = known
    regression = Regression(3, 5)
    regression.add(x, y, torch.randperm(4 * 12 * 10, generator=torch.Generator().manual_seed(1))[:200])
    found = F.conv2d(x, *regression.solve(), padding=1)
    assert float((found - y).norm() / y.norm()) < 1e-2


def test_the_inverse_root_makes_inputs_uncorrelated(known):
    x, _, _, regression = known
    patches = F.unfold(x, 3, padding=1).permute(0, 2, 1).flatten(0, 1)
    rows = torch.cat([patches, torch.ones(len(patches), 1)], 1)
    white = rows @ torch.linalg.inv(regression.root()).T
    covariance = white.T @ white / len(white)
    assert float((covariance - torch.eye(len(covariance))).abs().max()) < 0.2  # the damping's share


def test_a_convolution_survives_being_a_matrix(known):
    _, (kernel, bias), _, _ = known
    again = unpacked(packed(kernel, bias))
    assert torch.equal(again[0], kernel)
    assert torch.equal(again[1], bias)
