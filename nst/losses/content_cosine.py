"""A content loss that minds which features are there, and not how strong they are."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor

FLOOR = 1e-6  # of a squared length: features of 0 have no direction, and must have a slope


class ContentCosine:
    """Squared distance of unit vectors, `|f/|f| - fc/|fc||^2 = 2 (1 - cos(f, fc))`.

    The cosine distance that Kolkin et al. (2019) compare features by, at the same places. Twice, because that is what
    `content` makes of features of the right strength: one weight holds alike. Every position counts the same, dark and
    empty ones too, and contrast may change freely. A cosine is relative already, so sizes and channels compare.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """`(H, W)`: 0 to 4, from two `(H, W, C)`, as if both had one more channel of value `FLOOR ** 0.5`."""
        return xp.sum(xp.square(_unit(xp, features) - _unit(xp, target)), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> float:
        """1: a cosine is relative already."""
        return 1.0


def _unit(xp: Namespace, features: Tensor) -> Tensor:
    """`(H, W, C + 1)`, of length 1."""
    longer = xp.concat([features, 0 * features[..., :1] + FLOOR**0.5], axis=-1)
    return longer / xp.sqrt(xp.sum(xp.square(longer), axis=-1, keepdims=True))
