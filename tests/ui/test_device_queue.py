"""Test the queue of jobs: one job per device at a time, in the order of submission."""

from __future__ import annotations

import sys
from threading import Event

import pytest

from nst.ui import device_queue
from nst.ui.device_queue import JobQueue, device_for


@pytest.fixture
def queue():
    return JobQueue()


def test_jobs_of_one_device_run_in_the_order_of_submission(queue):
    done, gate = [], Event()
    tickets = [queue.submit("cpu", lambda i=i: (gate.wait(30), done.append(i))) for i in range(3)]
    gate.set()
    assert all(ticket.wait(30) for ticket in tickets)
    assert done == [0, 1, 2]


def test_a_place_is_the_number_of_jobs_before(queue):
    started, gate = Event(), Event()
    first = queue.submit("cpu", lambda: (started.set(), gate.wait(30)))
    started.wait(30)
    second, third = (queue.submit("cpu", lambda: None) for _ in range(2))
    assert (first.place, second.place, third.place) == (0, 1, 2)
    assert second.withdraw()
    assert third.place == 1
    gate.set()
    assert third.wait(30)
    assert third.place == 0


def test_two_devices_do_not_wait_for_each_other(queue):
    gate = Event()
    queue.submit("cpu", lambda: gate.wait(30))
    assert queue.submit("cuda", lambda: None).wait(30)
    gate.set()


def test_a_withdrawn_job_never_runs(queue):
    started, gate, done = Event(), Event(), []
    queue.submit("cpu", lambda: (started.set(), gate.wait(30)))
    started.wait(30)
    ticket = queue.submit("cpu", lambda: done.append(1))
    assert ticket.withdraw()
    assert ticket.over
    assert not ticket.withdraw()
    gate.set()
    assert queue.submit("cpu", lambda: None).wait(30)
    assert done == []


def test_a_closed_queue_runs_no_waiting_job(queue):
    started, gate, done = Event(), Event(), []
    first = queue.submit("cpu", lambda: (started.set(), gate.wait(30)))
    started.wait(30)
    second = queue.submit("cpu", lambda: done.append(1))
    queue.close()
    gate.set()
    assert first.wait(30)
    assert second.over
    assert done == []


def test_each_named_device_has_its_own_queue(monkeypatch):
    monkeypatch.setattr(device_queue, "gpu_present", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert (device_for("cpu"), device_for("cuda"), device_for("auto")) == ("cpu", "cuda", "cpu")


def test_auto_waits_for_the_gpu_if_there_is_one(monkeypatch):
    monkeypatch.setattr(device_queue, "gpu_present", lambda: True)
    assert device_for("auto") == "cuda"
