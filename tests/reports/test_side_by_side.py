"""Test captioned pictures in one row, at one height."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from nst.protocols import Pixels
from nst.reports.side_by_side import CAPTION, MARGIN, side_by_side

Photo = Callable[..., Pixels]
HEIGHT = 64


def columns(sheet: Pixels) -> list[tuple[int, int]]:
    """Return the spans of columns, from left to right, where the row of pictures is not paper."""
    inked = (sheet[MARGIN : MARGIN + HEIGHT] < 1).any(axis=(0, 2))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], inked, [False]]).astype(int)))
    return list(zip(edges[::2].tolist(), edges[1::2].tolist(), strict=True))


def test_pictures_are_in_order_at_one_height_with_margins(photo: Photo) -> None:
    sheet = side_by_side({"wide": photo(32, 64), "tall": photo(128, 64), "as is": photo(64, 64)}, HEIGHT)
    assert sheet.shape == (HEIGHT + 2 * MARGIN + CAPTION, 128 + 32 + 64 + 4 * MARGIN, 3)
    assert columns(sheet) == [(16, 144), (160, 192), (208, 272)]


def test_a_picture_of_this_height_is_unchanged(photo: Photo) -> None:
    picture = photo(HEIGHT, 50)
    shown = side_by_side({"a": picture}, HEIGHT)[MARGIN : MARGIN + HEIGHT, MARGIN : MARGIN + 50]
    np.testing.assert_allclose(shown, picture, atol=0.5 / 255 + 1e-6)


def test_the_sheet_is_pixels(photo: Photo) -> None:
    sheet = side_by_side({"a": photo()}, HEIGHT)
    assert sheet.dtype == np.float32
    assert sheet.flags.c_contiguous
    assert 0 <= sheet.min() < sheet.max() <= 1


def test_each_caption_begins_below_its_picture(photo: Photo) -> None:
    sheet = side_by_side({"first": photo(64, 90), "": photo(64, 90), "third": photo(64, 90)}, HEIGHT)
    below = (sheet[MARGIN + HEIGHT :] < 0.9).any(axis=(0, 2))
    starts = [left for left, _ in columns(sheet)]
    inked = [bool(below[left : left + 90].any()) for left in starts]
    assert inked == [True, False, True]
    assert not below[: starts[0]].any()


def test_another_name_is_another_caption(photo: Photo) -> None:
    one, other = (side_by_side({name: photo()}, HEIGHT)[MARGIN + HEIGHT :] for name in ("content", "result"))
    assert (one != other).any()


def test_names_in_any_script_are_no_error(photo: Photo) -> None:
    assert side_by_side({"日本\n語 🎨": photo()}, HEIGHT).shape[0] == HEIGHT + 2 * MARGIN + CAPTION


@pytest.mark.parametrize("shape", [(1, 1), (500, 1), (1, 50)])
def test_the_thinnest_picture_is_shown(photo: Photo, shape: tuple[int, int]) -> None:
    ((left, right),) = columns(side_by_side({"a": photo(*shape)}, HEIGHT))
    assert (left, right - left) == (MARGIN, max(1, round(HEIGHT * shape[1] / shape[0])))
