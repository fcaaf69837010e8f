"""The time left of a run, by the steps it has taken."""

from __future__ import annotations

import pytest

from nst.estimate.eta import Clock


def test_time_left_counts_a_step_as_its_pixels():
    """Of 2 steps at 100 px and 2 at 200 px, the first is a tenth of the work and took a second."""
    clock = Clock([100, 200], [2, 2])
    assert clock.left(1, 1.0) == pytest.approx(9)
    assert clock.left(2, 1.0) == pytest.approx(8)
    assert clock.left(3, 4.0) == pytest.approx(4)
    assert clock.left(4, 4.0) == pytest.approx(0)


def test_time_left_forgives_one_hitch():
    clock = Clock([100], [100])
    for step in range(1, 10):
        clock.left(step, 2.0)
    assert clock.left(10, 500.0) == pytest.approx(180)


def test_time_left_follows_a_machine_that_has_become_slower():
    clock = Clock([100], [100])
    told = [clock.left(step, 1.0 if step <= 20 else 2.0) for step in range(1, 41)]
    assert told[19] == pytest.approx(80)
    assert told[39] == pytest.approx(120)


def test_any_number_of_steps_is_counted_without_listing_them():
    assert Clock([100, 200], [10**18, 10**18]).left(1, 1e-9) == pytest.approx(5e9)


def test_sizes_that_end_early_are_passed_over():
    """Of ten steps at the first size two were taken: the third of three is the eleventh of eleven."""
    assert Clock([32, 48], [10, 1]).planned(3, 3) == 11


def test_sizes_end_after_their_steps():
    assert Clock([100, 200, 300], [3, 2, 1]).ends == {3, 5, 6}
