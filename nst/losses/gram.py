"""Compare the correlations of channels (Gatys' style loss)."""

from __future__ import annotations

from nst.losses import moments
from nst.protocols import Namespace, Tensor

TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


class Gram:
    """Squared distance of Gram matrices, `|G - Gs|^2 / |Gs|^2` (Gatys et al. 2016, eq. 3-5).

    Departs from the paper in that G is a mean over positions, not a sum, and in that the distance is relative to the
    target's own energy instead of divided by 4 N^2 M^2: so a layer's loss is about 1 for an unrelated picture,
    whatever its size and number of channels.
    """

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """Return `(C, C)`: the mean over positions of the outer product of `features` `(H, W, C)` with themselves."""
        return moments.second(xp, features, weight)

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """Return `|G - Gs|^2 / |Gs|^2`, a scalar."""
        return xp.sum(xp.square(statistic - target)) / (xp.sum(xp.square(target)) + TINY)
