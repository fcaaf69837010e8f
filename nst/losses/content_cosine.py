"""Compare the directions of features at the same positions, and ignore their strength."""

from __future__ import annotations

from nst.protocols import Namespace, Tensor

FLOOR = 1e-6  # of a squared length: features of 0 have no direction, and must have a slope


class ContentCosine:
    """Squared distance of unit vectors, `|f/|f| - fc/|fc||^2 = 2 (1 - cos(f, fc))`.

    Kolkin et al. (2019) compare features by the cosine distance. Twice that distance equals `content` for features of
    equal strength, so both losses use the same weight. Every position has the same influence, dark and empty positions
    too, and contrast may change freely. A cosine is already independent of image size and number of channels.
    """

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """Return `(H, W)`, 0 to 4, from two `(H, W, C)`, as if both had one more channel of value `FLOOR ** 0.5`."""
        return xp.sum(xp.square(_unit(xp, features) - _unit(xp, target)), axis=-1)

    def energy(self, xp: Namespace, target: Tensor) -> float:
        """Return 1: a cosine is already relative."""
        return 1.0


def _unit(xp: Namespace, features: Tensor) -> Tensor:
    """Return `(H, W, C + 1)`, of length 1."""
    longer = xp.concat([features, 0 * features[..., :1] + FLOOR**0.5], axis=-1)
    return longer / xp.sqrt(xp.sum(xp.square(longer), axis=-1, keepdims=True))
