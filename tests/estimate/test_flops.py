"""What a network costs is counted from its shapes: operations of its convolutions, bytes of their outputs."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.tiling import grid
from nst.estimate.flops import activations, evaluation, features, forward, outline
from nst.vgg.layers import IMAGE

STYLE = ["relu1_1", "relu3_1"]
LAYERS = [*STYLE, "relu4_2", IMAGE]


@pytest.fixture(scope="module")
def network(make_network):
    return outline(make_network())  # 4, 6, 8, 8 and 8 channels


def test_a_convolution_costs_two_operations_for_each_weight_at_each_position(network):
    assert forward(network, ["conv1_1"], (10, 20)) == 2 * 9 * 3 * 4 * 200
    assert forward(network, ["pool1"], (10, 20)) == 2 * 9 * (3 * 4 + 4 * 4) * 200
    assert forward(network, ["relu2_1"], (10, 21)) == 2 * 9 * ((3 * 4 + 4 * 4) * 210 + 4 * 6 * 50)


def test_layers_of_the_picture_itself_cost_nothing(network):
    assert forward(network, [IMAGE], (10, 20)) == activations(network, [IMAGE], (10, 20)) == 0
    assert features(network, IMAGE, (10, 20)) == 200 * 3 * 4


def test_every_output_up_to_the_deepest_layer_counts_once(network):
    assert activations(network, ["relu1_1"], (8, 8)) == 64 * 4 * 4
    assert activations(network, ["relu2_1", "relu1_1"], (8, 8)) == (64 * 4 * 2 + 16 * 6) * 4
    assert features(network, "relu2_1", (8, 8)) == features(network, "pool1", (16, 8)) // 2 * 3 // 2 == 16 * 6 * 4


def test_weights_are_counted_in_bytes(network):
    first = 3 * 4 + 4 * 4 + 4 * 6 + 6 * 6
    assert network.weights == 9 * 4 * (first + 6 * 8 + 11 * 8 * 8)


def test_what_is_no_vgg_has_no_outline():
    assert outline(None) is None


@given(height=st.integers(16, 200), width=st.integers(16, 200), size=st.integers(8, 300))
def test_tiles_cost_more_operations_and_no_more_memory_at_once(network, height, width, size):
    tiles = grid((height, width), size, LAYERS)
    at_once = evaluation(network, LAYERS, STYLE, grid((height, width), 0, LAYERS))
    assert evaluation(network, LAYERS, STYLE, tiles) >= at_once
    assert at_once == 2 * forward(network, LAYERS, (height, width))
