"""What a run will take, in words."""

from __future__ import annotations

from collections.abc import Sequence

from nst.estimate import Estimate


def expected(estimate: Estimate, at_most: bool = False) -> str:
    """`about 40 s and 1.2 GB`; as much of it as is known. `at_most` is for a run that may end early."""
    seconds, memory = estimate.seconds, estimate.memory
    time = "" if seconds is None else f"{'at most' if at_most else 'about'} {duration(seconds)}"
    least = "at least " if estimate.at_least else "" if time else "about "
    return " and ".join(filter(None, [time, "" if memory is None else f"{least}{memory / 1e9:.1f} GB"]))


def duration(seconds: float) -> str:
    """`40 s`, `12 min` or `3.5 h`: as exact as an estimate can be."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def changing(weights: Sequence[str], sizes: Sequence[int]) -> str:
    """`compact, imagenet from 512 px`: the weights of the sizes, and from which on they are others."""
    changes = [i for i, name in enumerate(weights) if i and name != weights[i - 1]]
    return ", ".join([weights[0], *(f"{weights[i]} from {sizes[i]} px" for i in changes)])
