"""The PyTorch VGG computes what its framework's own does, and keeps nothing."""

from __future__ import annotations

import gc

import pytest
import torch

from nst.images.demo_painting import paint_demo
from nst.testing.vggs import USES, drawn_to
from nst.vgg import layer_names
from nst.weights import COMPACT
from nst_torch.torchvision_import import torchvision
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks


def test_features_are_torchvision_s_own(photo):
    """Random weights in torchvision's model, read as ours: every ReLU, convolution and pool agrees."""
    torch.manual_seed(0)
    model = torchvision.models.vgg16(weights=None).features.eval()
    network = _network_of(model)
    names = layer_names("vgg16")
    backend = VGG(network, device="cpu", precision="float32")
    found = backend.features(backend.asarray(photo(35, 50)), names)
    mean, std = (
        torch.tensor(values).view(1, 3, 1, 1) for values in (network.preprocessing.mean, network.preprocessing.std)
    )
    x = (torch.tensor(photo(35, 50)).permute(2, 0, 1)[None] - mean) / std
    with torch.no_grad():
        for module, name in zip(model, names, strict=True):
            x = torch.relu(x) if isinstance(module, torch.nn.ReLU) else module(x)
            torch.testing.assert_close(found[name], x[0].permute(1, 2, 0), rtol=1e-4, atol=1e-5)


def _network_of(model):
    from nst.vgg import TORCHVISION, Network, convolutions

    convs = [module for module in model if isinstance(module, torch.nn.Conv2d)]
    named = dict(zip(convolutions("vgg16"), convs, strict=True))
    return Network(
        "vgg16",
        TORCHVISION,
        {name: conv.weight.detach().numpy() for name, conv in named.items()},
        {name: conv.bias.detach().numpy() for name, conv in named.items()},
        "random",
        "CC0-1.0",
    )


def test_nothing_is_kept_after_an_evaluation(make_network, photo):
    """Targets and features of one run must not pile up over the next."""
    backend = VGG(make_network(), device="cpu")
    objective = drawn_to(backend, [USES["gram"]], photo(32, 32, seed=1))
    counts = []
    for _ in range(4):
        objective(backend.asarray(photo(32, 32)))
        gc.collect()
        counts.append(sum(type(thing) is torch.Tensor for thing in gc.get_objects()))
    assert counts[1] == counts[-1]


def test_a_picture_too_large_for_the_memory_is_a_memory_error(make_network):
    """A view of one pixel as a picture of 10^12: the network's first activation cannot be had."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    boundless = torch.zeros(1, 1, 3).expand(10**6, 10**6, 3)
    with pytest.raises(MemoryError, match="allocate"):
        backend.features(boundless, ["relu1_1"])


def test_average_pooling_keeps_activations_at_their_size():
    """On the compact network and a painting: neither fading nor growing from block to block."""
    names = ["relu2_1", "relu3_1", "relu4_1", "relu5_1"]
    network, painting = COMPACT.load(), paint_demo(256, 192)
    backends = [VGG(network, device="cpu", precision="float32", pooling=pooling) for pooling in ("average", "max")]
    average, largest = (backend.features(backend.asarray(painting), names) for backend in backends)
    for name in names:
        assert 2 / 3 < average[name].norm() / largest[name].norm() < 3 / 2, name
