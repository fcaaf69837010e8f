"""Test the worker pool: a failed worker process fails its run only."""

from __future__ import annotations

from threading import Event

import pytest

from nst.orders import Done, Failed, Order, Stage, Started, Step
from nst.ui import worker_pool as studios
from nst.ui.run_state import RunState
from nst.ui.worker_pool import WorkerPool

from .conftest import over, wait_until


class Painter:
    """A fake worker that yields the given events, or raises the given exception."""

    def __init__(self, *events):
        self.events, self.stopped, self.killed = events, Event(), Event()

    def paint(self, order):
        for event in self.events:
            if event == "wait":
                (self.stopped if order.output else self.killed).wait(30)
            elif isinstance(event, Exception):
                raise event
            else:
                yield event

    def stop(self):
        self.stopped.set()

    def kill(self):
        self.killed.set()


DONE = Done("out.png", "finished")
STEP = Step(1, 9, 64, 2.0, {"gram relu1_1": 2.0}, 0.1, 0.8)


def painted(*events, order=None):
    studio = WorkerPool(lambda: Painter(*events))
    run = RunState(order or Order(output="out.png"))
    studio.start(run)
    return over(run)


def test_a_run_goes_from_waiting_to_done():
    states = []
    run = RunState(Order())
    for event in (Started("cpu", "float32", "compact", [64], [9], []), STEP, DONE):
        states.append(run.state)
        run.take(event)
    assert [*states, run.state] == ["waiting", "painting", "painting", "done"]
    assert run.history == [{"step": 1, "size": 64, "loss": 2.0, "terms": {"gram relu1_1": 2.0}}]


def test_a_run_that_is_gone_on_with_has_the_steps_before_once():
    rows = [{"step": step, "size": 64, "loss": 3.0, "terms": {}} for step in (1, 2, 3)]
    run = RunState(Order(), rows)
    run.take(Step(3, 9, 64, 2.0, {}, 0.1, 0.8))
    assert [(row["step"], row["loss"]) for row in run.history] == [(1, 3.0), (2, 3.0), (3, 2.0)]


def test_who_waits_for_news_is_woken_by_them_and_no_later_than_asked():
    run = RunState(Order())
    run.take(STEP)
    assert run.wait(0, 30) == 1
    assert run.wait(1, 0.01) == 1


def test_a_painter_that_raises_fails_its_run_alone():
    studio = WorkerPool(lambda: Painter(RuntimeError("no more paint")))
    first, second = RunState(Order()), RunState(Order())
    studio.start(first), studio.start(second)
    assert "no more paint" in over(first).failed.message
    assert over(second).failed


def test_a_painter_that_says_nothing_fails_its_run():
    assert painted(STEP).failed.message.endswith("without a result")


def test_a_failure_is_told_as_it_is():
    assert painted(Failed("not enough memory", "a smaller size")).failed.hint == "a smaller size"


def test_stop_asks_the_painter(monkeypatch):
    painter = Painter(STEP, "wait", DONE)
    studio, run = WorkerPool(lambda: painter), RunState(Order(output="out.png"))
    studio.start(run)
    assert wait_until(lambda: run.progress)
    studio.stop(run)
    assert over(run).done == DONE
    assert not painter.killed.is_set()


def test_a_painter_that_does_not_stop_is_killed(monkeypatch):
    monkeypatch.setattr(studios, "PATIENCE", 0.05)
    painter = Painter(STEP, "wait")
    studio, run = WorkerPool(lambda: painter), RunState(Order())
    studio.start(run)
    assert wait_until(lambda: run.progress)
    studio.stop(run)
    assert over(run).failed
    assert painter.killed.is_set()


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_each_device_has_one_painter_for_all_its_runs(device):
    hired = []
    studio = WorkerPool(lambda: hired.append(1) or Painter(DONE))
    for _ in range(3):
        run = RunState(Order(recipe={"device": device}))
        studio.start(run)
        over(run)
    assert hired == [1]


def test_stages_of_a_comparison_are_news():
    run = painted(Stage("torch-vgg19: features"), Done("report", "finished"), order=Order(kind="comparison"))
    assert (run.state, run.version) == ("done", 3)
