"""The chain rule written out is the one autograd would have found."""

from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.vgg import AVERAGE_GAIN, layer_names
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks

NAMES = layer_names("vgg16")
POOLS = {"max": lambda x: F.max_pool2d(x, 2), "average": lambda x: F.avg_pool2d(x, 2) * AVERAGE_GAIN}


def by_autograd(network, pooling, image, wanted, padding="zero"):
    """The same network written straight down, differentiated by PyTorch."""
    x, found = (image - torch.tensor(network.mean())).permute(2, 0, 1)[None], {}
    convolutions = {name: (torch.tensor(kernel), torch.tensor(bias)) for name, kernel, bias in network.folded()}
    for name in NAMES:
        if name in convolutions:
            x = F.conv2d(around(x, padding), *convolutions[name])
        else:
            x = F.relu(x) if name.startswith("relu") else POOLS[pooling](x)
        if name in wanted:
            found[name] = x[0].permute(1, 2, 0)
    return found


def around(x, padding):
    if padding == "zero":
        return F.pad(x, (1, 1, 1, 1))
    return F.pad(x, (1, 1, 1, 1), mode=padding if min(x.shape[2:]) > 1 else "replicate")


def gradient(features, image):
    """Of something that looks at every value of every layer with another weight."""
    total = sum(
        (depth * torch.sin(layer + torch.arange(layer.shape[-1]))).sum()
        for depth, (_, layer) in enumerate(sorted(features.items()), start=1)
    )
    return torch.autograd.grad(total, image)[0]


@settings(max_examples=25)
@given(
    wanted=st.sets(st.sampled_from(NAMES), min_size=1, max_size=5),
    pooling=st.sampled_from(["max", "average"]),
    padding=st.sampled_from(["zero", "reflect", "replicate"]),
    height=st.integers(32, 45),
    width=st.integers(32, 45),
)
def test_any_layers_at_any_size_have_the_gradient_autograd_finds(
    make_network, photo, wanted, pooling, padding, height, width
):
    network = make_network("vgg16")
    image = torch.tensor(photo(height, width)).requires_grad_()
    how = {"pooling": pooling, "padding": padding, "precision": "float32"}
    ours = VGG(network, device="cpu", **how).features(image, wanted)
    expected = by_autograd(network, pooling, image, wanted, padding)
    for name in wanted:
        torch.testing.assert_close(ours[name], expected[name], rtol=1e-4, atol=1e-5)
    found, plain = gradient(ours, image), gradient(expected, image)
    assert (found - plain).norm() <= 1e-4 * plain.norm()


def test_what_the_loss_does_not_look_at_has_no_gradient(make_network, photo):
    image = torch.tensor(photo(32, 32)).requires_grad_()
    features = VGG(make_network(), device="cpu", precision="float32").features(image, ["relu1_1", "relu3_1"])
    (shallow,) = torch.autograd.grad(features["relu1_1"].sum(), image)
    expected = VGG(make_network(), device="cpu", precision="float32").features(image, ["relu1_1"])["relu1_1"].sum()
    torch.testing.assert_close(shallow, torch.autograd.grad(expected, image)[0])


def test_one_gradient_shared_by_two_layers_is_not_written_over(make_network, photo):
    """`relu3_1 - relu3_2` hands both the same tensor: the gradient of either must stay what it is."""
    network, image = make_network(), torch.tensor(photo(32, 32)).requires_grad_()
    backend = VGG(network, device="cpu", precision="float32")
    features = backend.features(image, ["relu3_1", "relu3_2"])
    (together,) = torch.autograd.grad((features["relu3_1"] + features["relu3_2"]).square().sum(), image)
    plain = by_autograd(network, "max", image, {"relu3_1", "relu3_2"})
    (expected,) = torch.autograd.grad((plain["relu3_1"] + plain["relu3_2"]).square().sum(), image)
    torch.testing.assert_close(together, expected, rtol=1e-4, atol=1e-5)


def test_no_layers_are_no_work(make_network, photo):
    assert VGG(make_network(), device="cpu", precision="float32").features(torch.tensor(photo(8, 8)), []) == {}


def test_a_second_gradient_of_the_same_features_is_refused_and_not_wrong(make_network, photo):
    image = torch.tensor(photo(16, 16)).requires_grad_()
    total = VGG(make_network(), device="cpu", precision="float32").features(image, ["relu1_1"])["relu1_1"].sum()
    torch.autograd.grad(total, image, retain_graph=True)
    with pytest.raises(RuntimeError, match="compute the features again"):
        torch.autograd.grad(total, image)
