"""Compare the mean and the standard deviation of each channel (adaptive instance normalization)."""

from __future__ import annotations

from nst.losses import moments
from nst.protocols import Namespace, Tensor

SCALE = 4.0  # features 1 % stronger make a Gram matrix 2 % larger: so one weight pulls alike
FLOOR = 1e-5  # of the mean energy of a channel, added to every variance: the square root keeps a finite slope at 0
TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


class MeanStd:
    """Squared distance of channel means and standard deviations (Huang & Belongie 2017, eq. 13).

    `4 (|m - ms|^2 + |s - ss|^2) / (|ms|^2 + |ss|^2)`, with means m and deviations s, ms and ss the style's. Departs
    from the paper in that lengths are squared, and relative to the target's own energy, so that sizes and numbers of
    channels compare. Correlations are not compared: the loss equals `wasserstein` for independent channels; it
    is faster and less faithful.
    """

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """Return `(2, C)`: the means over positions of `features` `(H, W, C)` and of their squares."""
        rows = [moments.first(xp, x, weight) for x in (features, xp.square(features))]
        return xp.concat([xp.reshape(row, (1, -1)) for row in rows])

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """Return `4 (|m - ms|^2 + |s - ss|^2) / (|ms|^2 + |ss|^2)`, a scalar."""
        floor = FLOOR * xp.mean(target[1]) + TINY
        change = xp.square(statistic[0] - target[0]) + xp.square(_std(xp, statistic, floor) - _std(xp, target, floor))
        return SCALE * xp.sum(change) / (xp.sum(target[1]) + TINY)


def _std(xp: Namespace, statistic: Tensor, floor: Tensor) -> Tensor:
    """Return `(C,)`. Rounding may leave a variance below 0."""
    variance = statistic[1] - xp.square(statistic[0])
    return xp.sqrt(xp.maximum(variance, 0 * variance) + floor)
