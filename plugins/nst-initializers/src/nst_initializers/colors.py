"""The color statistics of pictures."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from nst.protocols import Pixels

Vector = NDArray[np.float64]
Matrix = NDArray[np.float64]


def mean_and_covariance(pictures: Sequence[Pixels]) -> tuple[Vector, Matrix]:
    """Return the mean color `(3,)` and the colors' covariance `(3, 3)`, averaged over images of any size."""
    means, covariances = zip(*map(_moments, pictures), strict=True)
    return np.mean(means, axis=0), np.mean(covariances, axis=0)


def _moments(picture: Pixels) -> tuple[Vector, Matrix]:
    colors = picture.reshape(-1, 3)
    mean = colors.mean(axis=0, dtype=np.float64)
    centered = colors - mean.astype(np.float32)
    return mean, (centered.T @ centered / len(colors)).astype(np.float64)
