"""The painting is a deterministic style picture: strokes everywhere, warm and cool, at any size."""

import numpy as np
import pytest
from numpy.typing import NDArray

from nst.images.demo_painting import paint_demo

Picture = NDArray[np.float32]


@pytest.fixture(scope="module")
def picture() -> Picture:
    return paint_demo(192, 144)


def blocks(plane: Picture, size: int) -> Picture:
    """Cut a plane (h, w) into squares, (h / size * w / size, size, size)."""
    rows, columns = plane.shape[0] // size, plane.shape[1] // size
    return plane.reshape(rows, size, columns, size).swapaxes(1, 2).reshape(-1, size, size)


def test_is_an_rgb_picture_of_full_contrast(picture: Picture) -> None:
    assert picture.shape == (144, 192, 3)
    assert picture.dtype == np.float32
    assert picture.flags.c_contiguous
    assert 0 <= picture.min() < 0.05
    assert 0.95 < picture.max() <= 1


def test_same_seed_paints_the_same_bytes(picture: Picture) -> None:
    assert paint_demo(192, 144, seed=7).tobytes() == picture.tobytes()


def test_another_seed_paints_another_picture(picture: Picture) -> None:
    assert np.abs(paint_demo(192, 144, seed=8) - picture).mean() > 0.1  # measured 0.15


def test_no_region_is_flat(picture: Picture) -> None:
    spread = blocks(picture.mean(-1), 8).std(axis=(1, 2))
    assert spread.min() > 0.02  # measured 0.03
    assert np.median(spread) > 0.07  # measured 0.09


def test_strokes_have_direction(picture: Picture) -> None:
    """The structure tensor's coherence in each block: 1 for stripes; white noise measures 0.10 here."""
    down, right = np.gradient(picture.mean(-1))
    xx, yy, xy = (blocks(p, 16).sum(axis=(1, 2)) for p in (right**2, down**2, right * down))
    coherence = np.hypot(xx - yy, 2 * xy) / (xx + yy)
    assert np.median(coherence) > 0.4  # measured 0.56


def test_warm_cool_dark_and_light_are_all_there(picture: Picture) -> None:
    warmth = picture[..., 0] - picture[..., 2]
    assert (warmth > 0.3).mean() > 0.15  # measured 0.21
    assert (warmth < -0.3).mean() > 0.30  # measured 0.47
    dark, light = np.percentile(picture.mean(-1), (2, 98))
    assert light - dark > 0.6  # measured 0.68


def test_strokes_grow_with_the_picture(picture: Picture) -> None:
    halved = paint_demo(384, 288).reshape(144, 2, 192, 2, 3).mean(axis=(1, 3))
    assert np.abs(halved - picture).mean() < 0.05  # measured 0.03; another seed is 0.15 away


@pytest.mark.parametrize(("width", "height"), [(97, 61), (61, 97), (33, 150), (2, 3)])
def test_any_size_and_aspect_works(width: int, height: int) -> None:
    picture = paint_demo(width, height)
    assert picture.shape == (height, width, 3)
    assert picture.flags.c_contiguous
    assert np.isfinite(picture).all()
