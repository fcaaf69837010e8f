"""A layer's stride and reach follow from the operations before it, and are what a network really sees."""

from __future__ import annotations

import numpy as np
import pytest

from nst.errors import UserError
from nst.geometry import Layer, Window, chain, require_size, shortest_side, smallest_size
from nst.vgg.architecture import vgg_layers


def test_resnet_18_by_hand():
    first = [Window(7, 2, name="conv1"), Window(3, 2), *[Window(3)] * 3, Window(3, name="layer1")]
    second = [Window(3, 2), *[Window(3)] * 2, Window(3, name="layer2")]
    assert chain([*first, *second]) == (
        Layer("conv1", 2, 3),
        Layer("layer1", 4, 3 + 2 + 4 * 4),
        Layer("layer2", 8, 3 + 2 + 4 * 4 + 4 + 3 * 8),
    )


def test_vgg_19_has_the_strides_and_reaches_of_its_convolutions():
    by_name = {layer.name: layer for layer in vgg_layers("vgg19")}
    assert by_name["relu1_1"] == Layer("relu1_1", 1, 1)
    assert by_name["pool1"] == Layer("pool1", 2, 2)
    assert by_name["relu5_1"] == Layer("relu5_1", 16, 2 * 1 + 2 * 2 + 4 * 4 + 4 * 8 + 16)


@pytest.mark.parametrize(
    "windows",
    [
        [(3, 1, 1, 1), (2, 2, 0, 1), (3, 1, 1, 1)],
        [(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1)],
        [(5, 1, 2, 1), (3, 1, 2, 2), (4, 2, 1, 1)],
        [(3, 3, 0, 1), (2, 1, 0, 1)],
    ],
)
def test_a_position_sees_no_further_than_its_reach(windows):
    """Each operation becomes the set of pixels that each of its positions sees."""
    length, seen = 96, [{pixel} for pixel in range(96)]
    for kernel, stride, padding, dilation in windows:
        count = (len(seen) + 2 * padding - (kernel - 1) * dilation - 1) // stride + 1
        taps = [[i * stride - padding + k * dilation for k in range(kernel)] for i in range(count)]
        seen = [set().union(*(seen[tap] for tap in row if 0 <= tap < len(seen))) for row in taps]
    (layer,) = chain([Window(*window) for window in windows[:-1]] + [Window(*windows[-1], name="last")])
    overhangs = [
        max(i * layer.stride - min(pixels), max(pixels) - (i + 1) * layer.stride + 1) for i, pixels in enumerate(seen)
    ]
    assert max(overhangs) == layer.reach
    assert np.prod([window[1] for window in windows]) == layer.stride
    assert length // layer.stride >= len(seen) - 1


def test_the_smallest_image_leaves_a_position_at_each_layer():
    assert shortest_side(vgg_layers("vgg19")) == 32
    assert shortest_side([Layer("deep", 8, smallest=20), Layer("flat", 16)]) == 20
    assert shortest_side([]) == 1
    assert smallest_size((60, 90), [Layer("deep", 8)]) == 12


COARSE, FINE = Layer("layer1", 4, 23), Layer("conv1", 2, 3)


@pytest.mark.parametrize(("shape", "layers"), [((4, 4, 3), [COARSE, FINE]), ((9, 2), [FINE]), ((1, 1), [])])
def test_a_picture_that_leaves_a_position_is_large_enough(shape, layers):
    require_size(shape, layers)


@pytest.mark.parametrize("shape", [(3, 9, 3), (9, 3)])
def test_a_picture_too_small_is_refused_by_the_deepest_layer(shape):
    with pytest.raises(UserError, match="is too small for layer1, which needs 4 each way"):
        require_size(shape, [FINE, COARSE])
