"""Format the time and the memory that a run needs."""

from __future__ import annotations

from nst.estimate.model import Estimate


def format_estimate(estimate: Estimate) -> str:
    """Return `about 40 s and 1.2 GB`, or the part of it that is known."""
    seconds, memory = estimate.seconds, estimate.memory
    time = "" if seconds is None else f"{'at most' if estimate.at_most else 'about'} {duration(seconds)}"
    least = "at least " if estimate.at_least else "" if time else "about "
    return " and ".join(filter(None, [time, "" if memory is None else f"{least}{memory / 1e9:.1f} GB"]))


def format_total(estimate: Estimate) -> str:
    """Return `about 40 s and 1.2 GB, plus 3 s to start`."""
    start = f"plus {duration(estimate.start)} to start" if estimate.start else ""
    return ", ".join(filter(None, [format_estimate(estimate) or "time and memory are unknown", start]))


def duration(seconds: float) -> str:
    """Return `40 s`, `12 min`, `3.5 h` or `5.6 days`, as exact as an estimate can be."""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 5400:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h" if seconds < 100 * 3600 else f"{seconds / 86400:.1f} days"
