"""Queue jobs for devices: each device runs one job at a time, in the order of submission."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Condition, Thread

from nst.devices import gpu_present


def device_for(device: str) -> str:
    """Return the device for which a job with this `--device` waits. `auto` is the fastest available device."""
    if device != "auto":
        return device
    return "cuda" if gpu_present() else "mps" if sys.platform == "darwin" else "cpu"


class Ticket:
    """A queued job. The device's thread calls `work`, which must not raise."""

    def __init__(self, queue: JobQueue, device: str, work: Callable[[], None]) -> None:
        self._queue, self.device, self.work = queue, device, work
        self.over = False

    @property
    def place(self) -> int:
        """The number of jobs before this one, 0 for a running or finished job."""
        return self._queue.place(self)

    def withdraw(self) -> bool:
        """Remove the job from the queue. Return False if the job has already started."""
        return self._queue.withdraw(self)


class JobQueue:
    """Queues of jobs, one for each device. A thread per device runs the jobs."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._queues: dict[str, list[Ticket]] = {}
        self._busy: dict[str, Ticket | None] = {}

    def submit(self, device: str, work: Callable[[], None]) -> Ticket:
        """Queue a job for a device."""
        ticket = Ticket(self, device, work)
        with self._changed:
            if device not in self._queues:
                self._queues[device], self._busy[device] = [], None
                Thread(target=self._serve, args=(device,), daemon=True, name=f"queue {device}").start()
            self._queues[device].append(ticket)
            self._changed.notify_all()
        return ticket

    def _serve(self, device: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queues[device])
                ticket = self._busy[device] = self._queues[device].pop(0)
            try:
                ticket.work()
            finally:
                with self._changed:
                    self._busy[device], ticket.over = None, True
                    self._changed.notify_all()

    def place(self, ticket: Ticket) -> int:
        """Return `Ticket.place`."""
        with self._changed:
            queue = self._queues[ticket.device]
            return queue.index(ticket) + (self._busy[ticket.device] is not None) if ticket in queue else 0

    def withdraw(self, ticket: Ticket) -> bool:
        """Remove a job that has not started, as in `Ticket.withdraw`."""
        with self._changed:
            if waiting := ticket in self._queues[ticket.device]:
                self._queues[ticket.device].remove(ticket)
                ticket.over = True
                self._changed.notify_all()
            return waiting

    def wait(self, ticket: Ticket, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for a job. Return whether the job is over."""
        with self._changed:
            return self._changed.wait_for(lambda: ticket.over, timeout)
