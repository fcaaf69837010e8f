"""What a run will take, in words."""

from __future__ import annotations

import pytest

from nst.estimate.model import Estimate, LevelEstimate
from nst.estimate.text import duration, format_estimate, format_total


def estimate(seconds=41.6, memory=1_240_000_000, **changes):
    return Estimate([LevelEstimate(256, 10, 0, "small", seconds, memory, None)], **changes)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (estimate(), "about 42 s and 1.2 GB"),
        (estimate(at_least=True), "about 42 s and at least 1.2 GB"),
        (estimate(at_most=True), "at most 42 s and 1.2 GB"),
        (estimate(seconds=None), "about 1.2 GB"),
        (estimate(seconds=None, at_least=True), "at least 1.2 GB"),
        (estimate(memory=None), "about 42 s"),
        (estimate(None, None), ""),
    ],
)
def test_as_much_is_said_as_is_known(given, words):
    assert format_estimate(given) == words


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (estimate(start=5.1), "about 42 s and 1.2 GB, plus 5 s to start"),
        (estimate(), "about 42 s and 1.2 GB"),
        (estimate(None, None), "time and memory are unknown"),
        (estimate(None, None, start=2), "time and memory are unknown, plus 2 s to start"),
    ],
)
def test_in_all_the_start_counts_too(given, words):
    assert format_total(given) == words


@pytest.mark.parametrize(
    ("seconds", "words"), [(0.1, "1 s"), (89.4, "89 s"), (90, "2 min"), (3000, "50 min"), (5400, "1.5 h")]
)
def test_a_time_is_as_exact_as_an_estimate_can_be(seconds, words):
    assert duration(seconds) == words


def test_an_estimate_that_was_written_down_says_the_same():
    made = estimate(start=2.0, at_least=True, at_most=True)
    assert Estimate.from_dict(made.to_dict()) == made
