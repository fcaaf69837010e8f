"""Smoothness: a price on differences between neighbors, against speckle."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor


class TotalVariation:
    """The mean over positions of `|right - p|^2 + |below - p|^2` (Mahendran & Vedaldi 2015, eq. 6, with beta 2).

    p is a pixel's color, right and below are its neighbors'. Absolute, in squared units of 0..1: measured on five
    photographs it is 0.01 to 0.04, least at 512 pixels, whose neighbors are nearer; of white noise it is 1. The target
    is ignored: a picture should be smooth on its own account.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """`(H, W)`: the squared differences of an `(H, W, 3)` image to the right and below, 0 past the edges."""
        right = xp.concat([features[:, 1:], features[:, -1:]], axis=1)
        below = xp.concat([features[1:], features[-1:]], axis=0)
        return xp.sum(xp.square(right - features) + xp.square(below - features), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> float:
        """1: the difference is not relative to anything."""
        return 1.0
