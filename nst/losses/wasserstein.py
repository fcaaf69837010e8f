"""Compare the distributions of features by the Wasserstein distance of Gaussians."""

from __future__ import annotations

from nst.losses import moments
from nst.protocols import Namespace, Tensor

SCALE = 0.75  # measured: the default weights then keep as much of the content as with `gram`
ROUNDING = 1e-5  # of the energy, added to covariances: float32 may leave less than 0 of a flat picture's
LEAST = 1e-6  # about what float32 leaves of a distance of 0
TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


class Wasserstein:
    """Squared 2-Wasserstein distance of the Gaussians that fit the features (Olkin & Pukelsheim 1982).

    `0.75 (|m - ms|^2 + tr C + tr Cs - 2 tr (Cs C)^(1/2)) / (|ms|^2 + tr Cs)`, with means m and covariances C, ms and Cs
    the style's. Relative to the style's energy, so that values are comparable between sizes, and nearly so between
    numbers of channels.

    The usual `(Cs^(1/2) C Cs^(1/2))^(1/2)` has the same trace but needs a root of Cs. The root here is computed by
    Newton-Schulz iteration. Both covariances get `floor * |Cs|` on the diagonal, so that channels without variance, and
    fewer positions than channels, have a gradient. The default is the smallest value that float32 separates from 0: 10
    iterations, value to 2e-5 and gradient to 0.3 % (2 % at relu1_1) of exact roots. A larger `floor` is faster and
    ignores weaker directions.
    """

    def __init__(self, floor: float = 1e-3) -> None:
        self._floor = floor
        self._scales = _scales(floor)

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """`(C + 1, C)`: the mean over positions of `features` `(H, W, C)`, then of their outer products.

        Both are computed in float32. The difference of two products in bfloat16 is no covariance where the features
        hardly vary: it has negative directions, and the iteration for its root diverges.
        """
        features = moments.exact(xp, features)
        mean = xp.reshape(moments.first(xp, features, weight), (1, -1))
        return xp.concat([mean, moments.second(xp, features, weight)])

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """Compute the relative squared distance, a scalar of 0 or more; in float32 it is about 2e-5 at the target."""
        identity = xp.eye(target.shape[1])
        energy = _trace(xp, target[1:], identity) + TINY
        mean, covariance = _gaussian(xp, statistic, energy, identity)
        target_mean, target_covariance = _gaussian(xp, target, energy, identity)
        floor = self._floor * _norm(xp, target_covariance) * identity
        covariance, target_covariance = covariance + floor, target_covariance + floor
        shared = self._root_trace(xp, xp.matmul(target_covariance, covariance), identity)
        alone = _trace(xp, covariance + target_covariance, identity)
        return SCALE * _positive(xp, xp.sum(xp.square(mean - target_mean)) + alone - 2 * shared)

    def _root_trace(self, xp: Namespace, product: Tensor, identity: Tensor) -> Tensor:
        """Compute the trace of the square root of a product of two covariances `(C, C)`.

        `root` tends to the root of the product over its norm, `inverse` to that root's inverse.
        """
        norm = _norm(xp, product)
        root, inverse = product / norm, identity
        for scale in self._scales:
            step = 1.5 * scale * identity - 0.5 * scale**3 * xp.matmul(inverse, root)
            root, inverse = xp.matmul(root, step), xp.matmul(step, inverse)
        return xp.sqrt(norm) * _trace(xp, root, identity)


def _scales(smallest: float) -> list[float]:
    """Return for each iteration the factor on singular values between `smallest` and 1 (Chen & Chow 2014).

    After each iteration they lie between a larger `smallest` and 1. Without factors, 1e-3 takes 21 iterations, not 10.
    """
    scales: list[float] = []
    while smallest < 1 - 1e-5:
        scales.append((3 / (1 + smallest + smallest**2)) ** 0.5)
        smallest = scales[-1] * smallest * (3 - (scales[-1] * smallest) ** 2) / 2
    return scales


def _gaussian(xp: Namespace, statistic: Tensor, energy: Tensor, identity: Tensor) -> tuple[Tensor, Tensor]:
    """Return mean `(1, C)` and covariance `(C, C)` of features divided by the root of `energy`, to avoid overflow."""
    mean, second = statistic[:1] / xp.sqrt(energy), statistic[1:] / energy
    rounding = ROUNDING * _trace(xp, second, identity) * identity
    return mean, second - xp.matmul(xp.permute_dims(mean, (1, 0)), mean) + rounding


def _trace(xp: Namespace, matrix: Tensor, identity: Tensor) -> Tensor:
    return xp.sum(matrix * identity)


def _norm(xp: Namespace, matrix: Tensor) -> Tensor:
    return xp.sqrt(xp.sum(xp.square(matrix)) + TINY**2)


def _positive(xp: Namespace, value: Tensor) -> Tensor:
    """Keep the value from falling below 0 by rounding, with a finite slope."""
    return (value + xp.sqrt(xp.square(value) + LEAST**2)) / 2
