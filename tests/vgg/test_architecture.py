"""The VGGs by name: their layers in order, and the smallest picture each layer can see."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.vgg.architecture import convolutions, layer, layer_names, smallest_side, vgg_layers


def test_the_numbers_count_the_layers_with_weights() -> None:
    assert {name: len(convolutions(name)) + 3 for name in ("vgg16", "vgg19")} == {"vgg16": 16, "vgg19": 19}


def test_layers_are_in_network_order() -> None:
    assert layer_names("vgg16")[:6] == ("conv1_1", "relu1_1", "conv1_2", "relu1_2", "pool1", "conv2_1")
    assert layer_names("vgg16")[-3:] == ("conv5_3", "relu5_3", "pool5")
    assert layer_names("vgg19")[-3:] == ("conv5_4", "relu5_4", "pool5")


@given(st.integers(0, 16))
def test_layers_end_where_the_convolutions_do(depth: int) -> None:
    present = convolutions("vgg19")[:depth]
    found = layer_names("vgg19", present)
    assert found == layer_names("vgg19")[: len(found)]
    assert tuple(name for name in found if name.startswith("conv")) == present


def test_a_pool_needs_its_whole_block() -> None:
    assert layer_names("vgg19", ("conv1_1", "conv1_2"))[-1] == "pool1"
    assert layer_names("vgg19", ("conv1_1",))[-1] == "relu1_1"


@pytest.mark.parametrize("layer", layer_names("vgg19"))
def test_the_smallest_side_is_the_least_that_survives_the_pools(layer: str) -> None:
    order = layer_names("vgg19")
    pools = sum(name.startswith("pool") for name in order[: order.index(layer) + 1])
    side = smallest_side([layer])
    assert (side >> pools, (side - 1) >> pools) == (1, 0)


def test_the_deepest_layer_decides() -> None:
    assert smallest_side(["relu1_1", "relu5_1", "relu3_1"]) == 16


ODD = st.text() | st.sampled_from(["image", "", "RELU4_1", "relu²_1", "relu9_1", "relu2000_1", "block_4", "relu2"])


@given(st.lists(ODD.filter(lambda name: name not in layer_names("vgg19"))))
def test_what_no_vgg_has_asks_nothing_of_the_picture(names: list[str]) -> None:
    assert smallest_side(names) == 1


def test_the_geometry_of_a_layer_is_computed_once():
    """A run of two steps asked 26,520 times."""
    assert layer("relu4_2") is layer("relu4_2")
    assert vgg_layers("vgg16") is vgg_layers("vgg16")
    assert (layer("relu4_2").stride, layer("relu4_2").reach) == (8, 2 * 1 + 2 * 2 + 4 * 4 + 2 * 8)
