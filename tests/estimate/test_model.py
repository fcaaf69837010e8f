"""An estimate grows with the picture, shrinks with tiles, and says what it does not know."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.engine.bleed import BleedCanvas
from nst.estimate.flops import outline
from nst.estimate.model import FIXED, FLATTEST, Estimator, LevelPlan, Timing, line
from nst.specs import MemoryModel
from nst.vgg.architecture import at

MODEL = MemoryModel(base=1000, factor=2.0)
SIDES = st.integers(64, 2000)
TIMING = Timing(fixed=0.01, rate=1e-10, overhead=0.5, seconds_per_byte=1e-10)


def two_images(image, steps):
    return 2 * image


@pytest.fixture(scope="module")
def network(make_network):
    return outline(make_network())


@pytest.fixture(scope="module")
def estimator():
    return Estimator(MODEL, [*at({"relu1_1": 0.5, "relu5_1": 0.5})], [*at({"relu4_2": 1.0})], 0, two_images, 0)


@pytest.fixture(scope="module")
def stage(network):
    def make(height=300, width=200, steps=10, network=network, **changes):
        return LevelPlan(
            max(height, width), BleedCanvas((height, width)), steps, "small", network, [(64, 64)], **changes
        )

    return make


@given(height=SIDES, width=SIDES, more=st.integers(16, 500))
def test_a_larger_picture_takes_more_of_everything(estimator, stage, network, height, width, more):
    small, large = stage(height, width), stage(height + more, width)
    assert estimator.memory(small, [network], 0) < estimator.memory(large, [network], 0)
    assert estimator.seconds(small, TIMING) < estimator.seconds(large, TIMING)


@given(height=SIDES, width=SIDES, parts=st.integers(2, 8))
def test_tiles_take_less_memory_and_more_time(estimator, stage, network, height, width, parts):
    tile = max(height, width) // parts
    whole = stage(height, width)
    assert estimator.memory(whole, [network], tile) <= estimator.memory(whole, [network], 0)
    assert estimator.seconds(replace(whole, tile=tile), TIMING) >= estimator.seconds(whole, TIMING)


@given(height=SIDES, width=SIDES, share=st.floats(0, 1.5))
def test_the_largest_tile_that_fits_is_chosen_and_none_where_all_fits(estimator, stage, network, height, width, share):
    whole = stage(height, width)
    room = int(share * estimator.memory(whole, [network], 0))
    tile = estimator.fitting(whole, [network], room)
    if share >= 1:
        assert tile == 0
    elif tile > 128:
        assert estimator.memory(whole, [network], tile) <= room < estimator.memory(whole, [network], 0)


def test_a_picture_of_which_no_tile_fits_is_not_searched_for_one(estimator, stage, network):
    """It has thousands of sizes of tiles, the smallest of them millions of tiles."""
    assert estimator.fitting(stage(10**6, 10**6), [network], 10**9) == 128


@given(fixed=st.floats(0, 0.1), rate=st.floats(1e-3, 1))
def test_two_evaluations_tell_what_does_not_grow_with_the_picture(fixed, rate):
    found = line([(1.0, fixed + rate), (5.0, fixed + 5 * rate)])
    if rate * 5 >= FLATTEST * (fixed + 5 * rate):
        assert found == pytest.approx((fixed, rate))


def test_a_clock_that_was_held_up_does_not_make_larger_pictures_cost_nothing():
    fixed, rate = line([(1.0, 0.9), (5.0, 0.5)])
    assert rate == FLATTEST * 0.1
    assert fixed + 5 * rate == pytest.approx(0.5)


def test_of_one_evaluation_a_usual_part_is_taken_not_to_grow():
    assert line([(2.0, 1.0)]) == pytest.approx((FIXED, (1 - FIXED) / 2))


def test_masks_and_losses_that_keep_copies_are_counted(estimator, stage, network):
    plain = estimator.memory(stage(), [network], 0)
    assert (
        replace(estimator, copies=at({"relu1_1": 2.0})).memory(stage(), [network], 0) == plain + 2 * 300 * 200 * 4 * 4
    )
    assert replace(estimator, masked=2).memory(stage(), [network], 0) == plain + 2 * stage().image


def test_every_step_costs_the_same(estimator, stage):
    first, second, third = (estimator.seconds(stage(steps=steps), TIMING) for steps in (10, 20, 30))
    assert third - second == pytest.approx(second - first)
    assert third > second > TIMING.overhead


def test_what_the_optimizer_keeps_is_counted(estimator, stage, network):
    forgetful = replace(estimator, state_bytes=lambda image, steps: 0)
    saved = estimator.memory(stage(), [network], 0) - forgetful.memory(stage(), [network], 0)
    assert saved == 2 * stage().image == 2 * 300 * 200 * 3 * 4
    assert forgetful.seconds(stage(), TIMING) < estimator.seconds(stage(), TIMING)


def test_a_process_that_holds_more_already_holds_that(estimator, stage, network):
    """And pictures, framework and a part of the weights are in what it holds."""
    heavy = replace(estimator, resident=10**9)
    assert heavy.memory(stage(), [network], 0) > 10**9 > estimator.memory(stage(), [network], 0)


def test_on_a_device_of_its_own_framework_and_pictures_do_not_count(estimator, stage, network):
    away = replace(estimator, resident=None, pictures=10**9)
    here = replace(estimator, pictures=10**9)
    assert away.memory(stage(), [network], 0) < 10**9 < here.memory(stage(), [network], 0)


def test_the_worst_size_is_the_run_s_and_times_add_up(estimator, stage):
    found = estimator.estimate([stage(128, 128), stage(256, 256)], {"small": TIMING}, 3.0)
    assert found.memory == found.parts[1].memory > found.parts[0].memory
    assert found.seconds == pytest.approx(sum(part.seconds for part in found.parts))
    assert (found.start, found.at_least) == (3.0, False)


def test_a_network_of_unknown_shape_has_a_time_by_its_pixels_and_no_memory(estimator, stage):
    found = estimator.estimate([stage(network=None)], {"small": replace(TIMING, rate=0.1 / 60_000)}, 0.0)
    assert found.memory is None
    assert found.seconds > 1.1  # 11 evaluations of 0.1 s


def test_without_a_probe_there_is_no_time(estimator, stage):
    found = estimator.estimate([stage()], {}, 0.0)
    assert found.seconds is None
    assert found.memory > 0


def test_a_backend_that_does_not_say_gets_a_lower_bound(estimator, stage):
    silent = replace(estimator, model=MemoryModel())
    assert silent.estimate([stage()], {}, 0.0).at_least


def test_losses_on_pixels_take_no_features(estimator, network, stage):
    pixels = replace(estimator, style=[], compared=[])
    assert pixels.memory(stage(), [network], 0) < estimator.memory(stage(), [network], 0)
