"""Create small pictures for tests, and check that an array is a picture."""

from __future__ import annotations

from typing import Any

import numpy as np

from nst.protocols import Pixels


def photo(height: int, width: int, seed: int = 0) -> Pixels:
    """Return an image of smooth colored waves, `(height, width, 3)`, within 0.1..0.9."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / max(height, width)
    rows, columns, phases = rng.uniform(10, 50, 3), rng.uniform(10, 50, 3), rng.uniform(0, 6, 3)
    waves = np.sin(rows * y[..., None] + columns * x[..., None] + phases)
    return np.ascontiguousarray(0.5 + 0.4 * waves, dtype=np.float32)


def flat(value: float, height: int, width: int) -> Pixels:
    """Return an image of one gray."""
    return np.full((height, width, 3), value, np.float32)


def assert_pixels(pixels: Any, size: tuple[int, int]) -> None:
    """Fail if an array is not `nst.protocols.Pixels` of a size (height, width)."""
    assert isinstance(pixels, np.ndarray), f"Pixels are a NumPy array, not {type(pixels).__name__}"
    assert pixels.shape == (*size, 3), f"Pixels of {size} are {(*size, 3)}, not {pixels.shape}"
    assert pixels.dtype == np.float32, f"Pixels are float32, not {pixels.dtype}"
    assert pixels.flags.c_contiguous, "Pixels are C-contiguous"
    assert np.isfinite(pixels).all(), "Pixels are finite"
    assert pixels.min() >= 0, f"Pixels are 0..1, not {pixels.min()}..{pixels.max()}"
    assert pixels.max() <= 1, f"Pixels are 0..1, not {pixels.min()}..{pixels.max()}"
