"""Tiles cover a picture once, and see far enough to have the whole picture's features over their cores."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.tiling import cut, tile_grid, whole
from nst.vgg.architecture import layer as vgg
from nst.vgg.architecture import smallest_side
from nst.vgg.reference import ReferenceVGG

SIDES = st.integers(16, 700)
SIZES = st.integers(16, 400)
LAYERS = st.sampled_from([("relu1_1",), ("relu1_1", "relu3_2"), ("relu4_2", "relu5_1"), ("pool5",), ("image",)])


@given(SIDES, SIDES, SIZES, LAYERS)
def test_the_cores_cover_every_position_once_at_every_layer(height, width, size, names):
    for name in names:
        stride = smallest_side([name])
        found = np.zeros((height // stride, width // stride), int)
        for tile in cut((height, width), size, [*map(vgg, names)]):
            top, left = tile.rows.start // stride, tile.columns.start // stride
            rows, columns = tile.positions(stride, found.shape)
            found[top : top + rows, left : left + columns] += 1
        assert (found == 1).all()


@given(SIDES, SIDES, SIZES, LAYERS)
def test_a_grid_knows_its_tiles_without_making_them(height, width, size, names):
    found, tiles = tile_grid((height, width), size, [*map(vgg, names)]), cut((height, width), size, [*map(vgg, names)])
    boxes = [(rows.stop - rows.start, columns.stop - columns.start) for rows, columns in (tile.box for tile in tiles)]
    assert found.boxes() == Counter(boxes)
    assert (len(found), found.kinds) == (len(tiles), len({tile.kind for tile in tiles}))


@given(SIDES, SIDES, SIZES, LAYERS)
def test_no_tile_is_without_a_position(height, width, size, names):
    stride = smallest_side(names)
    if min(height, width) >= stride:
        total = height // stride, width // stride
        tiles = cut((height, width), size, [*map(vgg, names)])
        assert all(min(tile.positions(stride, total)) > 0 for tile in tiles)


@given(SIDES, SIDES, SIZES)
def test_cores_are_no_larger_than_asked_beyond_one_stride(height, width, size):
    for tile in cut((height, width), size, [vgg("relu5_1")]):
        assert all(span.stop - span.start < max(size, 16) + 32 for span in (tile.rows, tile.columns))


def test_a_picture_that_fits_is_one_tile():
    assert cut((100, 80), 100, [vgg("relu4_2")]) == whole((100, 80))
    assert cut((100, 80), 0, [vgg("relu4_2")]) == whole((100, 80))


def test_tiles_are_of_few_kinds():
    assert len({tile.kind for tile in cut((1000, 900), 100, [vgg("relu4_2")])}) <= 16


@pytest.mark.parametrize(
    ("names", "padding"),
    [
        (("relu1_2",), "zero"),
        (("relu2_2", "conv3_1"), "reflect"),
        (("relu4_2",), "zero"),
        (("relu4_2",), "replicate"),
        (("pool4", "relu5_1"), "reflect"),
        (("pool5",), "zero"),
    ],
)
def test_features_over_the_cores_are_the_whole_picture_s(make_network, photo, names, padding):
    backend = ReferenceVGG(make_network(), padding=padding)
    picture = photo(131, 77, seed=4)
    complete = backend.features(picture, names)
    for tile in cut((131, 77), 32, [*map(vgg, names)]):
        found = backend.features(picture[tile.box], names)
        for name in names:
            stride = smallest_side([name])
            rows, columns = tile.core(stride)
            top, left = tile.rows.start // stride, tile.columns.start // stride
            core = found[name][rows, columns]
            np.testing.assert_allclose(
                core, complete[name][top : top + core.shape[0], left : left + core.shape[1]], rtol=1e-9, atol=1e-9
            )
