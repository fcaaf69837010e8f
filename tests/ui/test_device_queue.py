"""Test the queue of jobs: one job per device at a time, in the order of submission."""

from __future__ import annotations

import sys
from threading import Event

import pytest

from nst.ui import device_queue as desks
from nst.ui.device_queue import JobQueue, device_for


@pytest.fixture
def desk():
    return JobQueue()


def test_jobs_of_one_device_come_one_after_the_other(desk):
    done, gate = [], Event()
    tickets = [desk.submit("cpu", lambda i=i: (gate.wait(30), done.append(i))) for i in range(3)]
    gate.set()
    assert all(ticket.wait(30) for ticket in tickets)
    assert done == [0, 1, 2]


def test_a_place_counts_those_before(desk):
    begun, gate = Event(), Event()
    first = desk.submit("cpu", lambda: (begun.set(), gate.wait(30)))
    begun.wait(30)
    second, third = (desk.submit("cpu", lambda: None) for _ in range(2))
    assert (first.place, second.place, third.place) == (0, 1, 2)
    assert second.withdraw()
    assert third.place == 1
    gate.set()
    assert third.wait(30)
    assert third.place == 0


def test_two_devices_do_not_wait_for_each_other(desk):
    gate = Event()
    desk.submit("cpu", lambda: gate.wait(30))
    assert desk.submit("cuda", lambda: None).wait(30)
    gate.set()


def test_what_is_withdrawn_is_never_done(desk):
    begun, gate, done = Event(), Event(), []
    desk.submit("cpu", lambda: (begun.set(), gate.wait(30)))
    begun.wait(30)
    ticket = desk.submit("cpu", lambda: done.append(1))
    assert ticket.withdraw()
    assert ticket.over
    assert not ticket.withdraw()
    gate.set()
    assert desk.submit("cpu", lambda: None).wait(30)
    assert done == []


def test_a_device_by_name_is_its_own_lane(monkeypatch):
    monkeypatch.setattr(desks, "gpu_present", lambda: False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert (device_for("cpu"), device_for("cuda"), device_for("auto")) == ("cpu", "cuda", "cpu")


def test_auto_waits_for_the_gpu_where_there_is_one(monkeypatch):
    monkeypatch.setattr(desks, "gpu_present", lambda: True)
    assert device_for("auto") == "cuda"
