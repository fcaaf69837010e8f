"""Regions: who paints where, in which share, and what is left of the content."""

from __future__ import annotations

import numpy as np
import pytest

from nst.engine.terms import Region
from nst.job.regions import finished, masked, regions, start
from nst.recipe.recipe import Recipe


def test_a_mask_weighs_by_its_luminance_and_is_black_where_it_is_transparent(tmp_path, read, picture):
    style = picture(tmp_path / "style.png")
    gray, clear = picture(tmp_path / "gray.png", (51, 51, 51)), picture(tmp_path / "clear.png", (255, 255, 255, 51))
    inputs, errors = read([style], [(gray, [style]), (clear, [style])])
    assert not errors
    assert [float(patch.mask.mean()) for patch in inputs.masked_regions] == pytest.approx([0.2, 0.2], abs=1e-3)
    rest, *patches = [region.mask for region in regions(inputs, Recipe())]
    assert rest.shape == patches[0].shape == (6, 8)
    np.testing.assert_allclose(rest, 0.6, atol=1e-3)


def test_what_is_protected_is_taken_out_of_every_region(tmp_path, read, picture):
    style, half = picture(tmp_path / "style.png"), picture(tmp_path / "half.png", (128, 128, 128))
    inputs, _ = read([style], [], half)
    (region,) = regions(inputs, Recipe())
    np.testing.assert_allclose(region.mask, 1 - 128 / 255, atol=1e-3)


def test_shares_and_sizes_go_to_the_works_of_a_style(tmp_path, read, picture):
    folder = tmp_path / "works"
    folder.mkdir()
    picture(folder / "a.png")
    picture(folder / "b.png")
    inputs, _ = read([str(folder), picture(tmp_path / "one.png")])
    (region,) = regions(inputs, Recipe(style_blend="3,1", style_scale="1,0.5"))
    assert region.blend == pytest.approx([0.375, 0.375, 0.25])
    assert list(region.scales) == [1, 1, 0.5]


def test_without_a_style_for_the_rest_it_is_the_content(tmp_path, read, picture):
    style, half = picture(tmp_path / "style.png"), picture(tmp_path / "half.png", (128, 128, 128))
    inputs, _ = read([], [(half, [style])])
    mixed = finished(inputs, Recipe(), np.zeros((6, 8, 3), np.float32))
    np.testing.assert_allclose(mixed, inputs.content.pixels * (1 - 128 / 255), atol=1e-3)


def test_a_region_is_looked_at_within_the_bounds_of_its_mask_and_the_rest_anywhere(tmp_path, read, picture):
    style, corner = picture(tmp_path / "style.png"), np.zeros((6, 8, 3), np.float32)
    corner[3:, 2:4] = 1
    inputs, _ = read([style], [(corner, [style])])
    assert masked(inputs) == [1, 3 * 2 / 48]
    assert masked(read([style], [], corner)[0]) == [1]
    assert masked(read([style])[0]) == []


def test_without_masks_there_is_one_start_made_of_all_styles():
    content, styles = np.zeros((4, 6, 3), np.float32), [np.ones((2, 2, 3), np.float32)] * 2
    asked = []
    made = start([Region(styles, [0.5, 0.5])], content, lambda given: asked.append(given) or content + 0.25)
    assert [len(given) for given in asked] == [2]
    np.testing.assert_array_equal(made, 0.25)


def test_each_region_starts_from_its_own_styles_and_what_is_no_region_s_from_the_content():
    """Masks may overlap, and leave some over: left half one, all of the top another at half, the rest the content."""
    content = np.full((4, 6, 3), 0.5, np.float32)
    left, top = np.zeros((2, 4, 6), np.float32)
    left[:, :3], top[:2] = 1, 0.5
    ones, nothing = np.ones((2, 2, 3), np.float32), np.zeros((2, 2, 3), np.float32)
    parts = [Region([ones], [1.0], left), Region([nothing], [1.0], top)]
    made = start(parts, content, lambda styles: np.broadcast_to(styles[0].mean((0, 1)), content.shape))
    assert (made.dtype, made.shape) == (np.float32, (4, 6, 3))
    quarters = [made[2:, :3], made[2:, 3:], made[:2, :3], made[:2, 3:]]
    for quarter, value in zip(quarters, [1, 0.5, 2 / 3, 0.25], strict=True):
        np.testing.assert_allclose(quarter, value, rtol=1e-6)


def test_what_is_protected_starts_as_the_content(tmp_path, read, picture):
    style, white = picture(tmp_path / "style.png"), picture(tmp_path / "white.png", (255, 255, 255))
    inputs, _ = read([style], [], white)
    content = np.random.default_rng(0).random((3, 4, 3), np.float32)
    made = start(regions(inputs, Recipe()), content, lambda styles: np.zeros_like(content))
    np.testing.assert_allclose(made, content, rtol=1e-6)


@pytest.fixture
def half_white():
    """A mask `(64, 96, 3)` that is white on the left."""
    mask = np.zeros((64, 96, 3), np.float32)
    mask[:, :48] = 1
    return mask


def test_what_is_protected_is_the_content_itself(read, half_white):
    inputs, _ = read([half_white], [], half_white)
    mixed = finished(inputs, Recipe(), np.zeros((64, 96, 3), np.float32))
    content = inputs.content.pixels[0, 0]
    np.testing.assert_allclose(mixed[:, :48], np.broadcast_to(content, (64, 48, 3)), atol=1e-6)
    np.testing.assert_array_equal(mixed[:, 53:], 0)
    ramp = mixed[32, 47:53] / content
    assert (np.diff(ramp, axis=0) < 0).any()
    assert (np.diff(ramp, axis=0) <= 0).all()


def test_what_is_half_protected_is_half_the_content(read, half_white):
    inputs, _ = read([half_white], [], half_white * 0 + np.float32(128 / 255))
    mixed = finished(inputs, Recipe(), np.zeros((64, 96, 3), np.float32))
    np.testing.assert_allclose(mixed, np.broadcast_to(inputs.content.pixels[0, 0] * 128 / 255, mixed.shape), atol=1e-3)


def test_what_is_protected_is_the_content_among_masked_regions_too(read, half_white):
    inputs, _ = read([], [(half_white * 0 + 1, [half_white])], half_white)
    mixed = finished(inputs, Recipe(), np.zeros((64, 96, 3), np.float32))
    np.testing.assert_allclose(mixed[:, :48], np.broadcast_to(inputs.content.pixels[0, 0], (64, 48, 3)), atol=1e-6)
    np.testing.assert_array_equal(mixed[:, 53:], 0)
