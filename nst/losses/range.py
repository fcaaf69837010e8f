"""Staying a picture: a price on values that no file can hold."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor


class Range:
    """The mean over positions of `|max(p - 1, 0)|^2 + |max(-p, 0)|^2`: by how much a color p is beyond 0..1.

    Values outside are clipped in the end, and clipping undoes part of what was optimized: measured with saturated
    paintings, it costs a fifth of the style. A price keeps the objective smooth, as bounds would not.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """`(H, W)`: the squared excess of an `(H, W, 3)` image at each position."""
        nothing = 0 * features
        above, below = xp.maximum(features - 1, nothing), xp.maximum(-features, nothing)
        return xp.sum(xp.square(above) + xp.square(below), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> float:
        """1: the excess is not relative to anything."""
        return 1.0
