"""Sizes: asked for and given, with every channel in its place."""

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image

from nst.images import fit, resize

few = settings(max_examples=40)
sides = st.integers(1, 24)
shapes = st.tuples(sides, sides) | st.tuples(sides, sides, st.sampled_from([1, 3, 4]))
equal, close = np.testing.assert_array_equal, np.testing.assert_allclose


def smooth(height: int = 24, width: int = 32) -> np.ndarray:
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    return np.dstack([x / width, y / height, (x + y) / (width + height)])


@few
@given(arrays(np.float32, shapes, elements=st.sampled_from([0, 0.25, 1])), st.tuples(sides, sides))
def test_resize_gives_the_size_asked_for_within_bounds(pixels: np.ndarray, size: tuple[int, int]) -> None:
    resized = resize(pixels, size)
    assert resized.shape == (*size, *pixels.shape[2:])
    assert resized.dtype == np.float32
    assert resized.flags.c_contiguous
    assert 0 <= resized.min() <= resized.max() <= 1


def test_resize_keeps_every_channel_in_place() -> None:
    larger = resize(smooth(24, 32), (48, 64))
    close(larger[8:-8, 8:-8], smooth(48, 64)[8:-8, 8:-8], atol=0.03)
    equal(larger[..., 2], resize(smooth(24, 32)[..., 2], (48, 64)))
    assert resize(larger, (48, 64)) is larger


@pytest.mark.parametrize("size", [(5, 4), (30, 50)])
def test_resize_is_pillows_lanczos_without_its_rounding_to_8_bits(size: tuple[int, int]) -> None:
    gray = Image.fromarray(np.random.default_rng(3).integers(60, 200, (20, 30), np.uint8))
    rounded = np.asarray(gray.resize(size[::-1], Image.Resampling.LANCZOS))
    close(resize(np.asarray(gray) / np.float32(255), size) * 255, rounded, atol=1.2)  # it rounds twice
    close(resize(np.full((9, 9), 0.30001, np.float32), (4, 5)), 0.30001, atol=1e-6)


@few
@given(*[st.integers(1, 5000)] * 3)
@example(1, 5000, 10)
@example(5000, 1, 10)
def test_fit_keeps_proportions_to_half_a_pixel(height: int, width: int, long_side: int) -> None:
    fitted = fit(height, width, long_side)
    assert max(fitted) == long_side
    for side, before in zip(fitted, (height, width), strict=True):
        exact = before * long_side / max(height, width)
        assert side == 1 if exact < 1 else abs(side - exact) <= 0.5
