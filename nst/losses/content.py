"""Compare features at the same positions (Gatys' content loss)."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor


class Content:
    """Squared distance of features, `|f - fc|^2 / |fc|^2` (Gatys et al. 2016, eq. 1).

    Departs from the paper in that it is relative to the content's own energy instead of halved.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """Return `(H, W)`: the squared distance of two `(H, W, C)` at each position."""
        return xp.sum(xp.square(features - target), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> Tensor:
        """Return `(H, W)`: the squared length of `target` `(H, W, C)` at each position."""
        return xp.sum(xp.square(target), axis=-1)
