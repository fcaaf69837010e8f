"""Compare the histogram of each channel."""

from __future__ import annotations

from nst.errors import NstError
from nst.protocols import Namespace, Tensor

SCALE = 2.0  # measured: the default weights then keep as much of the content as with `gram`
TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


class Histogram:
    """Squared Wasserstein distance of each channel's values, `2 |v - vs|^2 / |vs|^2` (after Risser et al. 2017).

    v are the sorted values, averaged in groups of equal size. Departs from the paper in that sorted values are
    compared where it remaps histograms of 256 bins (in one dimension both find the optimal transport, and sorting has
    a slope), and in that the distance is relative to the target's own energy. A group may begin or end within a
    position, so pictures of any two sizes compare. Channels are compared one by one; correlations are not compared.
    """

    def __init__(self, groups: int = 64) -> None:
        self._groups = groups

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """Sort each channel of `features` `(H, W, C)` and average it in equal groups: `(groups, C)`.

        Sorting needs all positions at once, with equal weights. Raises `NstError` for a `weight`.
        """
        if weight is not None:
            raise NstError("the histogram loss cannot weight positions", "leave the mask out, or use wasserstein")
        height, width, channels = features.shape
        rows = xp.reshape(features, (height * width, channels))
        values = xp.sort(xp.permute_dims(rows, (1, 0)))  # far faster than along the first axis
        return xp.permute_dims(xp.matmul(values, _shares(xp, height * width, self._groups)), (1, 0))

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """Return `2 |v - vs|^2 / |vs|^2`, a scalar."""
        return SCALE * xp.sum(xp.square(statistic - target)) / (xp.sum(xp.square(target)) + TINY)


def _shares(xp: Namespace, count: int, groups: int) -> Tensor:
    """Return `(count, groups)`, columns summing to 1: how much each of `count` sorted values has of each group.

    Values are cells of width 1 in a row, groups are cells of width `count / groups` in the same row: a share is what
    two cells have in common, relative to the group.
    """
    width = count / groups
    apart = xp.abs(xp.reshape(_centers(xp, count), (count, 1)) - width * _centers(xp, groups))
    common = (1 + width) / 2 - apart
    inside = min(1, width) - xp.maximum(min(1, width) - common, 0 * common)
    return xp.maximum(inside, 0 * inside) / width


def _centers(xp: Namespace, count: int) -> Tensor:
    """Return 0.5, 1.5, … `count` - 0.5; the namespace has no `arange`."""
    numbers = xp.eye(1)[0] / 2
    while numbers.shape[0] < count:
        numbers = xp.concat([numbers, numbers + numbers.shape[0]])
    return numbers[:count]
