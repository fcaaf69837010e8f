"""Without training: all channels give the teacher back, half of them something near it."""

from __future__ import annotations

import pytest
import torch

from nst_torch.compress.closed_form import fit, student
from nst_torch.compress.loss import relative
from nst_torch.compress.stack import fixed

pytestmark = pytest.mark.frameworks


@pytest.fixture
def batch(photo):
    return torch.stack([torch.from_numpy(photo(48, 48, seed=seed)).permute(2, 0, 1) for seed in range(12)])


def fitted(network, batch, share):
    widths = [round(share * len(bias)) for bias in network.biases.values()]
    return list(fit(fixed(network), batch, widths, torch.Generator().manual_seed(0), {}))


@pytest.mark.parametrize("preprocessing", ["torchvision", "caffe"])
def test_with_every_channel_the_student_is_the_teacher(make_network, batch, preprocessing):
    network = make_network(preprocessing=preprocessing, depth=6)
    fits = fitted(network, batch, 1)
    pairs = zip(fits, student(fits).relus(batch), fixed(network).relus(batch), strict=True)
    for each, (name, ours), (_, theirs) in pairs:
        assert float(relative(ours, theirs * each.scale).max()) < 1e-3, name


def test_activations_are_brought_to_a_size_of_one(make_network, batch):
    for _, activation in student(fitted(make_network(depth=6), batch, 1)).relus(batch):
        assert float(activation.square().mean().sqrt()) == pytest.approx(1, abs=0.15)


def test_fewer_channels_say_how_much_they_explain(make_network, batch):
    network = make_network(depth=6)
    half, most = ([each.explained for each in fitted(network, batch, share)] for share in (0.25, 0.75))
    assert all(0 < less <= more <= 1 for less, more in zip(half, most, strict=True))
