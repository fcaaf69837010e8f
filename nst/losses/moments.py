"""Compute means over positions, for the statistic losses."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor


def first(xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
    """Return `(C,)`: the mean of `features` `(H, W, C)` over positions, weighted by `weight` `(H, W)` if given."""
    if weight is None:
        return xp.mean(features, axis=(0, 1))
    height, width, _ = features.shape
    return xp.sum(features * xp.reshape(weight / xp.sum(weight), (height, width, 1)), axis=(0, 1))


def exact(xp: Namespace, features: Tensor) -> Tensor:
    """Return the features in float32: their product with a float32 array has its precision."""
    return features * xp.eye(1)


def second(xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
    """Return `(C, C)`: the mean over positions of the outer product of `features` `(H, W, C)` with themselves."""
    height, width, channels = features.shape
    total = height * width if weight is None else xp.sum(weight)
    if weight is not None:  # by its root on either side: a matrix times itself is what backends are fast at
        features = features * xp.reshape(xp.sqrt(weight), (height, width, 1))
    rows = xp.reshape(features, (height * width, channels))
    return xp.matmul(xp.permute_dims(rows, (1, 0)), rows) / total
