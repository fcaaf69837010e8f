"""A batch's activations are those of the backend, picture by picture."""

from __future__ import annotations

import pytest
import torch

from nst_torch.compress.stack import fixed
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks


def batch(*photos):
    return torch.stack([torch.from_numpy(photo).permute(2, 0, 1) for photo in photos])


@pytest.mark.parametrize("preprocessing", ["torchvision", "caffe"])
def test_activations_are_the_backend_s(make_network, photo, preprocessing):
    network, photos = make_network(preprocessing=preprocessing), [photo(40, 48, seed=seed) for seed in (0, 1)]
    backend = VGG(network, device="cpu", precision="float32")
    for name, found in fixed(network).relus(batch(*photos)):
        layer = name.replace("conv", "relu")
        for ours, pixels in zip(found, photos, strict=True):
            theirs = backend.features(backend.asarray(pixels), [layer])[layer]
            torch.testing.assert_close(ours.permute(1, 2, 0), theirs, rtol=1e-4, atol=1e-5)


def test_one_may_go_on_from_any_layer(make_network, photo):
    stack = fixed(make_network())
    whole = dict(stack.relus(batch(photo())))
    rest = dict(stack.deeper(whole["conv2_1"], "conv2_1"))
    assert list(rest) == list(whole)[3:]
    assert torch.equal(rest["conv5_4"], whole["conv5_4"])
