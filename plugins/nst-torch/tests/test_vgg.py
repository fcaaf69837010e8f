"""The PyTorch VGG is the reference VGG, faster: same features, same losses, same gradients."""

from __future__ import annotations

import gc

import numpy as np
import pytest
import torch

from nst.architectures import layers
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.losses.range import Range
from nst.losses.total_variation import TotalVariation
from nst.objective import LossUse, build_objective, pointwise_terms, style_terms
from nst.painting import paint
from nst.reference import ReferenceVGG
from nst.weights import COMPACT
from nst_torch.torchvision_import import torchvision
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks

USES = {
    "style": LossUse("style", Gram(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "content": LossUse("content", Content(), {"relu2_2": 1.0}, 10.0),
    "range": LossUse("range", Range(), {"image": 1.0}, 1000.0),
    "total-variation": LossUse("total-variation", TotalVariation(), {"image": 1.0}, 3.0),
}


def terms(backend, use, target):
    if use.name == "style":
        return style_terms(backend, use, [target], [1.0])
    return pointwise_terms(backend, use, target)


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


@pytest.mark.parametrize("name", USES)
def test_losses_and_gradients_are_the_reference_s(make_network, photo, name):
    network, image, target = make_network(), 1.3 * photo(6, 7) - 0.2, photo(6, 7, seed=1)  # beyond 0..1 too
    ours, reference = VGG(network, device="cpu", precision="float32"), ReferenceVGG(network)
    found = build_objective(ours, terms(ours, USES[name], target))(ours.asarray(image))
    expected = build_objective(reference, terms(reference, USES[name], target))(image)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    scale = np.abs(expected.gradient).max()
    np.testing.assert_allclose(found.gradient.numpy() / scale, expected.gradient / scale, atol=1e-4)


@pytest.mark.parametrize("name", USES)
def test_the_slope_along_a_direction_is_the_change_of_the_loss(make_network, photo, name):
    """A directional check at a size where every difference would take too long."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES[name], photo(40, 33, seed=1)))
    image = 1.3 * torch.tensor(photo(40, 33)) - 0.2
    direction = torch.tensor(photo(40, 33, seed=5)) - 0.5
    step = 1e-2
    change = (objective(image + step * direction).loss - objective(image - step * direction).loss) / (2 * step)
    assert float((objective(image).gradient * direction).sum()) == pytest.approx(change, rel=3e-2)


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


def test_a_numpy_image_gives_a_numpy_gradient(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES["style"], photo(20, 20, seed=1)))
    ours, theirs = objective(photo(20, 20)), objective(backend.asarray(photo(20, 20)))
    assert isinstance(ours.gradient, np.ndarray)
    np.testing.assert_array_equal(ours.gradient, theirs.gradient.numpy())


def test_images_come_back_as_they_went_and_clipped(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")
    np.testing.assert_array_equal(backend.to_numpy(backend.asarray(photo())), photo())
    beyond = backend.to_numpy(torch.tensor([[[-1.0, 0.5, 2.0]]]))
    np.testing.assert_array_equal(beyond, np.array([[[0, 0.5, 1]]], np.float32))


def test_the_input_is_neither_changed_nor_shared(make_network, photo):
    backend, pixels = VGG(make_network(), device="cpu", precision="float32"), photo()
    image = backend.asarray(pixels)
    image += 1
    np.testing.assert_array_equal(pixels, photo())


def test_nothing_is_kept_after_an_evaluation(make_network, photo):
    """Targets and features of one run must not pile up over the next."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES["style"], photo(32, 32, seed=1)))
    counts = []
    for _ in range(4):
        objective(backend.asarray(photo(32, 32)))
        gc.collect()
        counts.append(sum(type(thing) is torch.Tensor for thing in gc.get_objects()))
    assert counts[1] == counts[-1]


def test_only_what_is_needed_is_computed(make_network, photo):
    """A picture too small for block 5 still has a relu1_1."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    assert backend.features(backend.asarray(photo(1, 1)), ["relu1_1"])["relu1_1"].shape == (1, 1, 4)


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
