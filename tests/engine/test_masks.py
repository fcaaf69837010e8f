"""Masks at the layers: the mean over the pixels a position covers, the same in tiles as in the whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.masks import everywhere, inside, window
from nst.engine.tiling import cut, whole
from nst.geometry import Layer
from nst.vgg.architecture import layer as vgg
from nst.vgg.reference import ReferenceVGG


@pytest.fixture(scope="module")
def backend(make_network):
    return ReferenceVGG(make_network())


def drawn(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width)).astype(np.float32)


@pytest.mark.parametrize("layer", ["relu1_1", "relu3_1", "relu5_1"])
def test_a_position_weighs_the_mean_of_its_pixels(backend, layer):
    mask, size = drawn(37, 50), vgg(layer).stride
    (weights,) = inside(backend, mask, whole((37, 50)), vgg(layer)).weights
    assert weights.shape == (37 // size, 50 // size)
    assert weights[1, 2] == pytest.approx(mask[size : 2 * size, 2 * size : 3 * size].mean(), rel=1e-5)


@given(st.integers(16, 90), st.integers(16, 90), st.sampled_from(["relu1_1", "relu3_2", "relu5_1"]))
def test_the_shares_of_tiles_sum_to_one(backend, height, width, layer):
    tiles = cut((height, width), 32, [vgg(layer)])
    for area in (
        everywhere(backend, tiles, vgg(layer)),
        inside(backend, drawn(height, width), tiles, vgg(layer)),
    ):
        assert sum(area.shares) == pytest.approx(1)


def test_a_tile_outside_the_mask_has_no_share_and_weights_to_divide_by(backend):
    mask = np.zeros((64, 128), np.float32)
    mask[:, :32] = 1
    tiles = cut((64, 128), 64, [vgg("relu2_1")])
    area = inside(backend, mask, tiles, vgg("relu2_1"))
    assert area.shares == pytest.approx([1, 0])
    assert area.weights[1].sum() > 0


@pytest.mark.parametrize(("layer", "part"), [("relu1_1", 3 / 35), ("relu2_1", 2 / 34), ("relu3_1", 0)])
def test_a_mask_is_a_part_of_the_positions_that_a_layer_has(backend, layer, part):
    """Pools leave out an odd last column: the deepest layer has no position within the mask."""
    mask = np.zeros((20, 35), np.float32)
    mask[:, 32:] = 1
    assert inside(backend, mask, whole(mask.shape), vgg(layer)).part == pytest.approx(part)


class RoundsUp:
    """A network that keeps a rest of pixels as a position more, as a strided convolution with padding does."""

    def asarray(self, pixels):
        return pixels

    def features(self, image, layers):
        return dict.fromkeys(layers, image[::4, ::4])


def test_a_rest_of_pixels_is_a_position_where_the_network_has_one():
    mask = np.zeros((10, 13), np.float32)
    mask[8:, 12:] = 1
    layer = Layer("layer1", 4, 9)
    area = inside(RoundsUp(), mask, whole(mask.shape), layer)
    assert area.weights[0].shape == (3, 4)
    assert area.weights[0][2, 3] == 1
    assert area.part == pytest.approx(1 / 12)
    shares = everywhere(RoundsUp(), cut((70, 70), 32, [layer]), layer).shares
    assert shares == pytest.approx([rows * columns / 18**2 for rows in (6, 6, 6) for columns in (6, 6, 6)])


def test_what_is_looked_at_of_a_mask_is_the_rectangle_around_it(backend):
    mask = np.zeros((9, 7), np.float32)
    mask[2, 3] = mask[6, 5] = 0.1
    assert window(backend, backend.asarray(mask)) == (2, 7, 3, 6)
