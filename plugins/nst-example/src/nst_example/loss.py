"""How strong each feature is on the whole, wherever it is."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor

TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


class Mean:
    """A `nst.protocols.StatisticLoss`: squared distance of mean features, `|m - ms|^2 / |ms|^2`."""

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """`(C,)`: the mean over positions of `features` `(H, W, C)`, weighted by `weight` `(H, W)` if given."""
        if weight is None:
            return xp.mean(features, axis=(0, 1))
        share = xp.reshape(weight / xp.sum(weight), (*features.shape[:2], 1))
        return xp.sum(features * share, axis=(0, 1))

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """`|m - ms|^2 / |ms|^2`, a scalar."""
        return xp.sum(xp.square(statistic - target)) / (xp.sum(xp.square(target)) + TINY)
