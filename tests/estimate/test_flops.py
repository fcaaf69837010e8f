"""What a network costs is counted from its shapes: operations of its convolutions, bytes of their outputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.tiling import tile_grid
from nst.estimate.flops import activations, evaluation, feature_bytes, forward, outline
from nst.geometry import IMAGE
from nst.vgg.architecture import layer as vgg

STYLE = [vgg("relu1_1"), vgg("relu3_1")]
LAYERS = [*STYLE, vgg("relu4_2"), vgg(IMAGE)]


@pytest.fixture(scope="module")
def network(make_network):
    return outline(make_network())  # 4, 6, 8, 8 and 8 channels


def test_a_convolution_costs_two_operations_for_each_weight_at_each_position(network):
    assert forward(network, [vgg("conv1_1")], (10, 20)) == 2 * 9 * 3 * 4 * 200
    assert forward(network, [vgg("pool1")], (10, 20)) == 2 * 9 * (3 * 4 + 4 * 4) * 200
    assert forward(network, [vgg("relu2_1")], (10, 21)) == 2 * 9 * ((3 * 4 + 4 * 4) * 210 + 4 * 6 * 50)


def test_layers_of_the_picture_itself_cost_nothing(network):
    assert forward(network, [vgg(IMAGE)], (10, 20)) == activations(network, [vgg(IMAGE)], (10, 20)) == 0
    assert feature_bytes(network, vgg(IMAGE), (10, 20)) == 200 * 3 * 4


def test_every_output_up_to_the_deepest_layer_counts_once(network):
    assert activations(network, [vgg("relu1_1")], (8, 8)) == 64 * 4 * 4
    assert activations(network, [vgg("relu2_1"), vgg("relu1_1")], (8, 8)) == (64 * 4 * 2 + 16 * 6) * 4
    assert (
        feature_bytes(network, vgg("relu2_1"), (8, 8))
        == feature_bytes(network, vgg("pool1"), (16, 8)) // 2 * 3 // 2
        == 16 * 6 * 4
    )


def test_weights_are_counted_in_bytes(network):
    first = 3 * 4 + 4 * 4 + 4 * 6 + 6 * 6
    assert network.weights == 9 * 4 * (first + 6 * 8 + 11 * 8 * 8)


def test_what_is_no_vgg_has_no_outline():
    assert outline(None) is None


@given(height=st.integers(16, 200), width=st.integers(16, 200), size=st.integers(8, 300))
def test_tiles_cost_more_operations_and_no_more_memory_at_once(network, height, width, size):
    tiles = tile_grid((height, width), size, LAYERS)
    at_once = evaluation(network, LAYERS, STYLE, tile_grid((height, width), 0, LAYERS))
    assert evaluation(network, LAYERS, STYLE, tiles) >= at_once
    assert at_once == 2 * forward(network, LAYERS, (height, width))
