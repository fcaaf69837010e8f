"""Objectives on `(H, W, 3)` arrays, NumPy's or torch's: two with known answers, and one like a picture's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch
from array_api_compat import array_namespace

from nst.protocols import Array, Evaluation

KINDS = {"numpy": np.array, "torch": torch.tensor}


@dataclass
class Problem:
    """An objective that remembers the loss of every call, and where to start."""

    function: Callable[[Any, Array], tuple[Array, Array]]
    start: Array
    losses: list[float] = field(default_factory=list)

    def __call__(self, image: Array) -> Evaluation:
        assert image.shape == self.start.shape
        loss, gradient = self.function(array_namespace(image), image)
        self.losses.append(float(loss))
        return Evaluation(float(loss), {"all": float(loss)}, gradient)


def quadratic(kind: str = "numpy", condition: float = 1e3, dtype: str = "float64", seed: int = 0) -> Problem:
    """Lowest, at 0, where all pixels are 0.5; curvatures from 1 to `condition`."""
    make = KINDS[kind]
    start = np.random.default_rng(seed).uniform(size=(5, 7, 3)).astype(dtype)
    weight = make(np.geomspace(1, condition, start.size).reshape(start.shape).astype(dtype))

    def function(xp: Any, image: Array) -> tuple[Array, Array]:
        gradient = weight * (image - 0.5)
        return xp.sum(gradient * (image - 0.5)) / 2, gradient

    return Problem(function, make(start))


def rosenbrock(kind: str = "numpy", dtype: str = "float64") -> Problem:
    """Rosenbrock's valley for each (even, odd) pair of columns; lowest, at 0, where all pixels are 1."""

    def function(xp: Any, image: Array) -> tuple[Array, Array]:
        x, y = image[:, 0::2], image[:, 1::2]
        bend = y - x**2
        slopes = -400 * x * bend - 2 * (1 - x), 200 * bend
        return xp.sum(100 * bend**2 + (1 - x) ** 2), xp.reshape(xp.stack(slopes, axis=2), image.shape)

    return Problem(function, KINDS[kind](np.tile(np.array([[-1.2, 1.0]], dtype).T, (2, 2, 3))))


def textured(kind: str = "torch", dtype: str = "float64") -> Problem:
    """A small style transfer: channel correlations to match, a picture to stay near, and rough total variation."""

    def function(xp: Any, image: Array) -> tuple[Array, Array]:
        flat, step = xp.reshape(image, (-1, 3)), image[1:] - image[:-1]
        miss = flat.T @ flat / flat.shape[0] - 0.2
        rough = xp.sqrt(step**2 + 1e-3)
        gradient = xp.reshape(400 * flat @ miss / flat.shape[0], image.shape) + 4 * (image - 0.5) ** 3
        gradient[1:] += 0.01 * step / rough
        gradient[:-1] -= 0.01 * step / rough
        return 100 * xp.sum(miss**2) + xp.sum((image - 0.5) ** 4) + 0.01 * xp.sum(rough), gradient

    return Problem(function, KINDS[kind](np.random.default_rng(0).uniform(size=(8, 8, 3)).astype(dtype)))


@pytest.fixture(scope="session")
def make_quadratic() -> Callable[..., Problem]:
    return quadratic


@pytest.fixture(scope="session")
def make_rosenbrock() -> Callable[..., Problem]:
    return rosenbrock


@pytest.fixture(scope="session")
def make_textured() -> Callable[..., Problem]:
    return textured
