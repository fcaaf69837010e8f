"""What the compression tests share: a folder of small pictures and a short task."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from nst.images import save_image
from nst.weights.compression import CompressionTask

CROP = 32


@pytest.fixture
def folder(tmp_path, photo) -> Path:
    """24 pictures of 40×48, one that is too small and one that is none."""
    place = tmp_path / "photos"
    place.mkdir()
    for seed in range(24):
        save_image(place / f"{seed:02}.png", photo(40, 48, seed=seed))
    save_image(place / "small.png", photo(8, 8))
    (place / "notes.txt").write_text("no picture")
    return place


@pytest.fixture
def pictures(photo):
    """One folder of three pictures as they are kept: bytes."""
    return [[np.rint(photo(40, 48, seed=seed) * 255).astype(np.uint8) for seed in range(3)]]


@pytest.fixture
def task(make_network, folder) -> Callable[..., CompressionTask]:
    """`task(steps=(3, 0), seed=1)`: a tiny teacher halved."""

    def make(steps: tuple[int, int] = (1, 1), seed: int = 0, teacher=None) -> CompressionTask:
        teacher = teacher or make_network()
        widths = tuple(len(bias) // 2 for bias in teacher.biases.values())
        return CompressionTask(teacher, widths, {"photos": sorted(folder.iterdir())}, seed, steps, CROP)

    return make
