"""The loop: sizes in turn, the best image kept, a loss that is not finite survived, Ctrl-C obeyed."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import count

import numpy as np
import pytest

from nst.engine import loop
from nst.engine.descent import MAX_RESCUES, Descent
from nst.engine.problem import Level, Problem
from nst.engine.terms import Region, WeightedLoss
from nst.errors import NstError
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.protocols import Evaluation, Iterate
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

STYLE = WeightedLoss("style", Gram(), at({"relu1_1": 1.0}), 1.0)
CONTENT = WeightedLoss("content", Content(), at({"relu1_1": 1.0}), 1.0)


class PixelBackend(ReferenceVGG):
    """A network whose every layer is the picture itself."""

    def features(self, image, layers):
        return dict.fromkeys(layers, image)


def descend(objective, image, *, state=None, step_scale=1.0, lr=1.0):
    """Gradient descent with a memory: how many steps it has taken."""
    taken = state["taken"] if state else 0
    gradient = objective(image).gradient
    while True:
        image = image - lr * step_scale * gradient
        taken += 1
        evaluation = objective(image)
        yield Iterate(image, evaluation, {"taken": taken})
        gradient = evaluation.gradient


@pytest.fixture
def task(make_network, photo):
    def make(sizes=(4, 6), steps=(3, 2), backend=None, styles=(), scales=(), **changes):
        network = backend or PixelBackend(make_network())
        levels = [Level(*level, network) for level in zip(sizes, steps, strict=True)]
        values = {
            "content": photo(4, 6),
            "start": photo(4, 6),
            "style": [STYLE],
            "pointwise": [CONTENT],
            "optimizer": descend,
            "optimizer_options": {"lr": 0.5},
        }
        regions = [Region(styles or [photo(6, 6, seed=1)], [1.0], scales=scales)]
        return Problem(levels=levels, regions=regions, **{**values, **changes})

    return make


def test_every_step_of_every_size_is_told_and_kept(task):
    told = []
    run = loop.optimize(task(), told.append)
    assert [(progress.step, progress.size) for progress in told] == [(1, 4), (2, 4), (3, 4), (4, 6), (5, 6)]
    assert all(progress.steps == 5 for progress in told)
    assert [row["loss"] for row in run.history] == [progress.loss for progress in told]
    assert set(run.history[0]["terms"]) == {"style relu1_1", "content relu1_1"}
    assert run.stopped == "finished"
    assert not run.notes


def test_the_result_has_the_content_s_shape_at_the_last_size(task):
    assert loop.optimize(task()).pixels.shape == (4, 6, 3)
    assert loop.optimize(task(sizes=[9], steps=[1])).pixels.shape == (6, 9, 3)


def test_what_bleeds_is_painted_and_cut_off(task, make_network):
    """The rim is part of what is computed, and of no picture that anybody sees."""
    seen, painted = [], []

    class Watched(PixelBackend):
        def asarray(self, pixels):
            painted.append(pixels.shape)
            return super().asarray(pixels)

    made = task(sizes=(16, 32), bleed=2, backend=Watched(make_network()))
    run = loop.optimize(made, lambda progress: seen.append(progress.pixels().shape))
    assert run.pixels.shape == (21, 32, 3)
    assert set(seen) == {(11, 16, 3), (21, 32, 3)}
    assert {(13, 18, 3), (25, 36, 3)} <= set(painted)


@pytest.mark.parametrize("carries", [False, True])
def test_a_run_that_bleeds_goes_on_as_it_would_have(task, carries):
    kept = []
    made = task(sizes=(16, 32), bleed=2, carries=carries, protect=np.linspace(0, 1, 24, dtype=np.float32).reshape(4, 6))
    whole = loop.optimize(made, lambda progress: kept.append(progress.snapshot()))
    for snapshot in kept:
        np.testing.assert_array_equal(loop.optimize(made, resume=snapshot).pixels, whole.pixels)


def test_the_loss_falls(task):
    run = loop.optimize(task(sizes=[6], steps=[10]))
    assert run.history[-1]["loss"] < 0.9 * run.history[0]["loss"]


def test_each_size_starts_from_the_last_one_s_result(task):
    """With nothing left to gain at the second size, its start is what comes out."""
    seen = []

    def still(objective, image, **_):
        seen.append(image)
        for _ in count():
            yield Iterate(image, objective(image), {})

    start = np.full((4, 6, 3), 0.25, np.float32)
    run = loop.optimize(task(optimizer=still, optimizer_options={}, start=start))
    assert [image.shape for image in seen] == [(3, 4, 3), (4, 6, 3)]
    np.testing.assert_allclose(run.pixels, 0.25, atol=1e-6)


def test_a_weight_of_zero_leaves_the_loss_out(task):
    run = loop.optimize(task(style=[WeightedLoss("style", Gram(), at({"relu1_1": 1.0}), 0.0)]))
    assert set(run.history[0]["terms"]) == {"content relu1_1"}


def test_the_best_image_is_kept_not_the_last(task):
    """An optimizer that first helps and then harms."""

    def swing(objective, image, **_):
        for shift in (0.0, 0.1, 0.5):
            there = image + shift
            yield Iterate(there, objective(there), {})

    content = np.full((4, 6, 3), 0.4, np.float32)
    no_style = [WeightedLoss("style", Gram(), at({"relu1_1": 1.0}), 0.0)]
    given = {"content": content, "start": content, "sizes": [6], "steps": [3], "style": no_style}
    run = loop.optimize(task(optimizer=swing, optimizer_options={}, **given))
    np.testing.assert_allclose(run.pixels, content, atol=1e-6)


def test_an_optimizer_that_ends_early_is_no_failure(task):
    def once(objective, image, **_):
        yield Iterate(image, objective(image), {})

    run = loop.optimize(task(optimizer=once, optimizer_options={}))
    assert run.stopped == "finished"
    assert [row["size"] for row in run.history] == [4, 6]
    assert "after 1 of 3 steps" in run.notes[0]


@pytest.mark.parametrize("request_to_end", [KeyboardInterrupt, loop.Stop])
def test_ctrl_c_or_a_callback_that_stops_returns_the_best_so_far(task, request_to_end):
    def impatient(progress):
        if progress.step == 4:
            raise request_to_end

    run = loop.optimize(task(steps=[3, 5]), impatient)
    assert run.stopped == "interrupted"
    assert len(run.history) == 4
    assert run.pixels.shape == (4, 6, 3)


def test_ctrl_c_before_the_first_step_is_raised(task):
    def interrupted(objective, image, **_):
        raise KeyboardInterrupt
        yield

    with pytest.raises(KeyboardInterrupt):
        loop.optimize(task(optimizer=interrupted, optimizer_options={}))


class Small(PixelBackend):
    """Has room for pictures of so many pixels each way; its gradients are 0."""

    def value_and_grad(self, loss):
        def objective(image, *given):
            if max(image.shape) > 100:
                raise MemoryError
            return Evaluation(1.0, loss(image, *given), 0 * image)

        return objective


def test_a_person_is_told_of_memory_that_ran_out_with_the_step_it_befell(task, make_network):
    told = []
    loop.optimize(task(sizes=(64, 128), steps=(1, 2), backend=Small(make_network())), told.append)
    assert [progress.notes for progress in told] == [(), ("not enough memory: continuing in tiles of 64 px",), ()]


@pytest.mark.parametrize("resumed", [False, True])
def test_tiles_that_memory_led_to_are_those_of_the_next_size_too(task, make_network, resumed):
    """It is larger: to try it whole would run out of memory again."""
    kept, made = [], task(sizes=(128, 160), steps=(2, 1), backend=Small(make_network()))
    run = loop.optimize(made, lambda progress: kept.append(progress.snapshot()))
    if resumed:
        run = loop.optimize(made, resume=kept[0])
    assert run.notes == ["not enough memory: continuing in tiles of 64 px"]


def test_what_cannot_be_cut_runs_out_of_memory_as_such(task, make_network):
    """It would be no help to say that its loss cannot be computed in tiles: nobody has asked for them."""
    with pytest.raises(MemoryError):
        loop.optimize(task(sizes=[128], steps=[1], backend=Small(make_network()), style=[replace(STYLE, whole=True)]))


class Brittle:
    """(x - 1)² whose loss is not finite once a step is longer than `limit`."""

    def __init__(self, limit):
        self.limit = limit
        self.last = None

    def __call__(self, x):
        jumped = self.last is not None and np.abs(x - self.last).max() > self.limit
        self.last = x
        loss = math.nan if jumped else float(((x - 1) ** 2).sum())
        return Evaluation(loss, {"square": loss}, 2 * (x - 1))


def take(descent, image, steps):
    return [iterate for iterate, _ in zip(descent.iterates(image), range(steps), strict=False)]


def test_a_loss_that_is_not_finite_goes_back_and_halves_the_step():
    descent = Descent(partial(descend, lr=0.5), Brittle(limit=0.3))
    found = take(descent, np.zeros(1), 30)
    assert all(math.isfinite(iterate.evaluation.loss) for iterate in found)
    assert found[-1].image == pytest.approx(1, abs=1e-2)
    assert "went back to the start with steps 0.5 times as long" in descent.notes[0]
    assert "0.25 times" in descent.notes[1]
    assert not descent.gave_up


def test_after_a_rescue_the_optimizer_keeps_its_memory():
    objective = Brittle(limit=math.inf)
    calls = []

    def fails_once(self, x):
        calls.append(x)
        loss = math.inf if len(calls) == 4 else float(((x - 1) ** 2).sum())
        return Evaluation(loss, {}, 2 * (x - 1))

    objective = fails_once.__get__(objective)
    found = take(Descent(partial(descend, lr=0.1), objective), np.zeros(1), 4)
    assert [iterate.state["taken"] for iterate in found] == [1, 2, 3, 4]


def test_news_are_told_once():
    descent = Descent(partial(descend, lr=0.5), Brittle(limit=0.3))
    iterates = descent.iterates(np.zeros(1))
    next(iterates)
    assert ["not finite" in note for note in descent.new_notes()] == [True, True]
    assert descent.new_notes() == ()


def test_a_loss_that_never_recovers_keeps_the_last_good_image():
    calls = []

    def once_good(x):
        calls.append(x)
        loss = 1.0 if len(calls) <= 2 else math.nan
        return Evaluation(loss, {}, np.ones_like(x))

    descent = Descent(partial(descend, lr=0.1), once_good)
    found = take(descent, np.zeros(2), 9)
    assert len(found) == 1
    assert descent.gave_up
    assert descent.best is found[0]
    assert len(descent.notes) == MAX_RESCUES + 1


def test_a_diverged_run_says_so_and_returns_the_picture(task):
    class Broken(PixelBackend):
        evaluations = 0

        def value_and_grad(self, loss):
            honest = super().value_and_grad(loss)

            def objective(image, *parameters):
                self.evaluations += 1
                found = honest(image, *parameters)
                return found if self.evaluations <= 3 else Evaluation(math.nan, found.terms, found.gradient)

            return objective

    base = task()
    run = loop.optimize(task(backend=Broken(base.levels[0].backend._network)))
    assert run.stopped == "diverged"
    assert len(run.history) == 2
    assert np.isfinite(run.pixels).all()
    assert "gave up" in run.notes[-1]


def test_no_finite_loss_at_all_is_an_error(task):
    class Hopeless(PixelBackend):
        def value_and_grad(self, loss):
            return lambda image, *parameters: Evaluation(math.nan, {}, np.zeros_like(image))

    base = task()
    with pytest.raises(NstError, match="not finite from the first step") as caught:
        loop.optimize(task(backend=Hopeless(base.levels[0].backend._network)))
    assert caught.value.hint


def test_each_size_may_ask_a_network_of_its_own(task, make_network):
    asked = []

    class Named(PixelBackend):
        def features(self, image, layers):
            asked.append(self.name)
            return super().features(image, layers)

    base, levels = task(), []
    for level, name in zip(base.levels, ["coarse", "fine"], strict=True):
        network = Named(make_network())
        network.name = name
        levels.append(replace(level, backend=network))
    loop.optimize(replace(base, levels=levels))
    assert sorted(set(asked)) == ["coarse", "fine"]
    assert asked == sorted(asked)


def test_the_mean_of_the_images_is_the_result_when_asked_for(task):
    """The images are 0, 1 and 2, and the mean forgets half of itself at each."""

    def count_up(objective, image, **_):
        for value in range(3):
            there = np.full_like(image, value / 4)
            yield Iterate(there, objective(there), {})

    options = {"optimizer": count_up, "optimizer_options": {}, "sizes": [6], "steps": [3]}
    run = loop.optimize(task(average=0.5, **options))
    np.testing.assert_allclose(run.pixels, (0 * 1 + 1 * 2 + 2 * 4) / 7 / 4, atol=1e-6)


def test_tiles_change_nothing_but_memory(photo, task):
    given = {"content": photo(9, 9), "sizes": [9], "steps": [2]}
    at_once, tiled = (loop.optimize(task(tile=tile, **given)) for tile in (None, 4))
    np.testing.assert_allclose(tiled.pixels, at_once.pixels, atol=1e-6)
    assert tiled.history[-1]["loss"] == pytest.approx(at_once.history[-1]["loss"])


@pytest.mark.parametrize("stop", [1, 2, 3, 4])
def test_a_run_goes_on_from_its_snapshot_as_if_nothing_had_happened(task, stop):
    """At any step, in the middle of either size: the same images, losses and steps, to the last bit."""
    kept = []
    whole = loop.optimize(task(average=0.5), lambda progress: kept.append(progress.snapshot()))
    resumed = loop.optimize(task(average=0.5), resume=kept[stop - 1])
    np.testing.assert_array_equal(resumed.pixels, whole.pixels)
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]
    assert [row["step"] for row in resumed.history] == [1, 2, 3, 4, 5]


def test_a_snapshot_taken_later_is_of_its_own_step(task):
    told, at_once = [], []
    loop.optimize(task(average=0.5), lambda progress: (told.append(progress), at_once.append(progress.snapshot())))
    for progress, expected in zip(told, at_once, strict=True):
        later = progress.snapshot()
        for name in ("image", "best", "mean"):
            np.testing.assert_array_equal(getattr(later, name), getattr(expected, name))
        for name in ("level", "taken", "state", "scale", "best_loss", "mean_weight", "history"):
            assert getattr(later, name) == getattr(expected, name)


def test_after_the_last_step_of_a_size_nothing_is_kept_of_the_optimizer(task):
    left, states = [], []
    loop.optimize(task(), lambda progress: (left.append(progress.left), states.append(progress.snapshot().state)))
    assert left == [2, 1, 0, 1, 0]
    assert states == [{"taken": 1}, {"taken": 2}, {}, {"taken": 1}, {}]


def test_a_state_that_is_carried_is_kept_until_the_last_size(task):
    kept = []
    whole = loop.optimize(task(carries=True), lambda progress: kept.append(progress.snapshot()))
    assert [snapshot.state for snapshot in kept] == [{"taken": taken} for taken in (1, 2, 3, 4)] + [{}]
    resumed = loop.optimize(task(carries=True), resume=kept[2])
    assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_a_state_that_is_carried_comes_in_its_own_type(task, kind):
    found = []

    def remember(objective, image, *, state=None, **_):
        found.append(state and state["memory"].dtype)
        while True:
            yield Iterate(image, objective(image), {"memory": np.full(image.shape, 0.5, kind)})

    loop.optimize(task(optimizer=remember, optimizer_options={}, carries=True))
    assert found == [None, kind if kind is not np.float32 else np.float64]


@pytest.mark.parametrize("kind", [np.float16, np.float32, np.float64])
def test_numbers_of_an_optimizer_s_own_type_come_back_in_it(task, kind):
    found = []

    def remember(objective, image, *, state=None, **_):
        found.append(state and state["memory"].dtype)
        while True:
            yield Iterate(image, objective(image), {"memory": image.astype(kind)})

    given, kept = {"optimizer": remember, "optimizer_options": {}, "sizes": [6], "steps": [2]}, []
    loop.optimize(task(**given), lambda progress: kept.append(progress.snapshot()))
    loop.optimize(task(**given), resume=kept[0])
    assert kept[0].state["memory"].dtype == kind
    expected = kind if kind is not np.float32 else np.float64  # the reference's own arrays are float64
    assert found == [None, expected]


def test_a_run_that_is_interrupted_does_not_blame_the_optimizer(task):
    def impatient(progress):
        raise KeyboardInterrupt

    assert loop.optimize(task(), impatient).notes == []


def test_a_snapshot_of_the_last_step_leaves_nothing_to_do(task):
    kept = []
    whole = loop.optimize(task(), lambda progress: kept.append(progress.snapshot()))
    resumed = loop.optimize(task(), resume=kept[-1])
    np.testing.assert_allclose(resumed.pixels, whole.pixels, atol=1e-6)
    assert resumed.notes == whole.notes


def test_the_optimizer_s_state_is_carried_to_the_next_size_where_that_helps(task):
    seen = []

    def remember(objective, image, *, state=None, **_):
        seen.append(state)
        memory = np.full_like(image, 2.5) if state is None else state["memory"]
        while True:
            yield Iterate(image, objective(image), {"memory": memory, "taken": 1})

    loop.optimize(task(optimizer=remember, optimizer_options={}, carries=True))
    assert seen[0] is None
    np.testing.assert_allclose(seen[1]["memory"], np.full((4, 6, 3), 2.5), rtol=1e-6)
    assert seen[1]["taken"] == 1
    seen.clear()
    loop.optimize(task(optimizer=remember, optimizer_options={}))
    assert seen == [None, None]


def losses(*given):
    """An optimizer that walks nowhere and finds these losses."""

    def walk(objective, image, *, state=None, **_):
        for taken in range(state["taken"] if state else 0, len(given)):
            image = image + 0.01
            yield Iterate(image, Evaluation(given[taken], {}, None), {"taken": taken + 1})

    return {"optimizer": walk, "optimizer_options": {}}


FALLING = [100 * 0.9**step for step in range(6)]
SWINGING = [FALLING[-1] * factor for factor in (1.5, 0.9995, 1.2) * 10]


def test_a_size_ends_on_a_plateau_and_the_next_goes_on(task):
    """Its lowest loss counts: a loss that swings is no worse for that."""
    told = []
    run = loop.optimize(task(steps=[30, 4], until=1e-3, **losses(*FALLING, *SWINGING)), told.append)
    assert [row["size"] for row in run.history] == [4] * 16 + [6] * 4
    assert run.notes == ["at 4 px 10 steps gained less than 0.001 of the loss: ended after 16 of 30 steps"]
    assert run.stopped == "finished"
    assert {progress.steps for progress in told[:16]} == {34}
    assert [(progress.step, progress.steps) for progress in told[16:]] == [(17, 20), (18, 20), (19, 20), (20, 20)]


@pytest.mark.parametrize(("until", "given"), [(0.0, [1.0] * 30), (5e-3, [0.999**step for step in range(30)])])
def test_a_loss_that_still_falls_goes_on(task, until, given):
    run = loop.optimize(task(sizes=[6], steps=[30], until=until, **losses(*given)))
    assert len(run.history) == 30
    assert run.notes == []


@pytest.mark.parametrize("stop", [5, 15, 16, 18, 20])
def test_a_plateau_is_the_same_in_a_run_that_goes_on_from_a_snapshot(task, stop):
    kept = []
    given = {"steps": [30, 4], "until": 1e-3, "average": 0.5, **losses(*FALLING, *SWINGING)}
    whole = loop.optimize(task(**given), lambda progress: kept.append(progress.snapshot()))
    resumed = loop.optimize(task(**given), resume=kept[stop - 1])
    np.testing.assert_allclose(resumed.pixels, whole.pixels, atol=1e-6)
    assert [(row["step"], row["loss"]) for row in resumed.history] == [
        (row["step"], row["loss"]) for row in whole.history
    ]
    assert resumed.notes == whole.notes


def test_what_ctrl_c_ends_is_no_plateau(task):
    def impatient(progress):
        raise KeyboardInterrupt

    assert loop.optimize(task(), impatient).notes == []
