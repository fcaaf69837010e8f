"""The PyTorch VGG is the reference VGG, faster: same features, same losses, same gradients."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from nst.architectures import layers
from nst.losses.content import Content
from nst.losses.content_cosine import ContentCosine
from nst.losses.gram import Gram
from nst.losses.histogram import Histogram
from nst.losses.mean_std import MeanStd
from nst.losses.range import Range
from nst.losses.total_variation import TotalVariation
from nst.losses.wasserstein import Wasserstein
from nst.objective import build_objective
from nst.painting import paint
from nst.reference import ReferenceVGG
from nst.terms import LossUse, Region, pointwise_terms, style_terms
from nst.tiles import cut, whole
from nst.weights import COMPACT
from nst_torch.torchvision_import import torchvision
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks

USES = {
    "style": LossUse("style", Gram(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "mean-std": LossUse("mean-std", MeanStd(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "wasserstein": LossUse("wasserstein", Wasserstein(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "histogram": LossUse("histogram", Histogram(8), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "content": LossUse("content", Content(), {"relu2_2": 1.0}, 10.0),
    "content-cosine": LossUse("content-cosine", ContentCosine(), {"relu2_2": 1.0}, 10.0),
    "range": LossUse("range", Range(), {"image": 1.0}, 1000.0),
    "total-variation": LossUse("total-variation", TotalVariation(), {"image": 1.0}, 3.0),
}

ONE = whole((512, 512))  # any picture in one piece


def terms(backend, use, target):
    if hasattr(use.loss, "statistic"):
        return style_terms(backend, use, Region([target], [1.0]), ONE)
    return pointwise_terms(backend, use, target, ONE)


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
@pytest.mark.parametrize("preprocessing", ["torchvision", "caffe", "unit"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_every_layer_is_the_reference_s(make_network, photo, architecture, preprocessing, pooling):
    network = make_network(architecture, preprocessing)
    names = layers(architecture)
    ours = VGG(network, device="cpu", precision="float32", pooling=pooling)
    found = ours.features(ours.asarray(photo(45, 37)), names)
    expected = ReferenceVGG(network, pooling=pooling).features(photo(45, 37), names)
    for name in names:
        error = np.linalg.norm(found[name].numpy() - expected[name]) / np.linalg.norm(expected[name])
        assert error < 1e-5, name


@pytest.mark.parametrize("padding", ["reflect", "replicate"])
@pytest.mark.parametrize("shape", [(45, 37), (16, 40), (32, 33)])
def test_every_layer_is_the_reference_s_with_any_padding(make_network, photo, padding, shape):
    """A single position at the deepest layer, and two of them, too."""
    network, names = make_network(), ["conv1_1", "relu2_2", "pool3", "relu4_2", "relu5_4"]
    ours = VGG(network, device="cpu", precision="float32", padding=padding)
    found = ours.features(ours.asarray(photo(*shape)), names)
    expected = ReferenceVGG(network, padding=padding).features(photo(*shape), names)
    for name in names:
        error = np.linalg.norm(found[name].numpy() - expected[name]) / np.linalg.norm(expected[name])
        assert error < 1e-5, name


@pytest.mark.parametrize("name", USES)
def test_losses_and_gradients_are_the_reference_s(make_network, photo, name):
    network, image, target = make_network(), 1.3 * photo(6, 7) - 0.2, photo(6, 7, seed=1)  # beyond 0..1 too
    ours, reference = VGG(network, device="cpu", precision="float32"), ReferenceVGG(network)
    found = build_objective(ours, terms(ours, USES[name], target), ONE)(ours.asarray(image))
    expected = build_objective(reference, terms(reference, USES[name], target), ONE)(image)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    scale = np.abs(expected.gradient).max()
    np.testing.assert_allclose(found.gradient.numpy() / scale, expected.gradient / scale, atol=1e-4)


def test_features_are_torchvision_s_own(photo):
    """Random weights in torchvision's model, read as ours: every ReLU, convolution and pool agrees."""
    torch.manual_seed(0)
    model = torchvision.models.vgg16(weights=None).features.eval()
    network = _network_of(model)
    names = layers("vgg16")
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
    from nst.architectures import convolutions
    from nst.network import Network
    from nst.preprocessing import TORCHVISION

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
    objective = build_objective(backend, terms(backend, USES["style"], photo(32, 32, seed=1)), ONE)
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
    network, painting = COMPACT.load(), paint(256, 192)
    backends = [VGG(network, device="cpu", precision="float32", pooling=pooling) for pooling in ("average", "max")]
    average, largest = (backend.features(backend.asarray(painting), names) for backend in backends)
    for name in names:
        assert 2 / 3 < average[name].norm() / largest[name].norm() < 3 / 2, name


@pytest.mark.parametrize(
    ("shape", "padding"),
    [((333, 250), "zero"), ((256, 320), "zero"), ((333, 250), "reflect"), ((256, 320), "replicate")],
)
def test_the_gradient_in_tiles_is_that_of_the_whole_picture(make_network, photo, shape, padding):
    """Exact tiling: within 1e-4 of the largest gradient in float32, at all depths, with halos and odd sizes."""
    backend = VGG(make_network(), device="cpu", precision="float32", padding=padding)
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    style, content = LossUse("gram", Gram(), layers, 100.0), LossUse("content", Content(), {"relu4_2": 1.0}, 10.0)

    def evaluate(size):
        tiles = cut(shape, size, [*layers, "relu4_2"])
        terms = style_terms(backend, style, Region([photo(200, 240, seed=1)], [1.0]), tiles, size)
        terms += pointwise_terms(backend, content, photo(*shape), tiles)
        return build_objective(backend, terms, tiles)(backend.asarray(photo(*shape, seed=2)))

    whole, tiled = evaluate(0), evaluate(96)
    assert tiled.loss == pytest.approx(whole.loss, rel=1e-5)
    assert float(abs(tiled.gradient - whole.gradient).max()) < 1e-4 * float(abs(whole.gradient).max())
