"""Who is next: one job per device at a time, the others in the order in which they came."""

from __future__ import annotations

import sys
from collections.abc import Callable
from threading import Condition, Thread

from nst.devices import gpu_present


def lane(device: str) -> str:
    """The device that a job of this `--device` waits for; `auto` is taken to mean the fastest that may be here."""
    if device != "auto":
        return device
    return "cuda" if gpu_present() else "mps" if sys.platform == "darwin" else "cpu"


class Ticket:
    """One job at the desk. `work` is called when its turn comes, on the device's thread, and must not raise."""

    def __init__(self, desk: JobQueue, lane: str, work: Callable[[], None]) -> None:
        self._desk, self.lane, self.work = desk, lane, work
        self.over = False

    @property
    def place(self) -> int:
        """How many are before it, 0 while it is at work or over."""
        return self._desk.place(self)

    def withdraw(self) -> bool:
        """Leave the queue; False once the work has begun, which must then be stopped itself."""
        return self._desk.withdraw(self)


class JobQueue:
    """The queues, one for each device, each served by a thread of its own."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._queues: dict[str, list[Ticket]] = {}
        self._busy: dict[str, Ticket | None] = {}

    def submit(self, lane: str, work: Callable[[], None]) -> Ticket:
        """Queue some work."""
        ticket = Ticket(self, lane, work)
        with self._changed:
            if lane not in self._queues:
                self._queues[lane], self._busy[lane] = [], None
                Thread(target=self._serve, args=(lane,), daemon=True, name=f"desk {lane}").start()
            self._queues[lane].append(ticket)
            self._changed.notify_all()
        return ticket

    def _serve(self, lane: str) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._queues[lane])
                ticket = self._busy[lane] = self._queues[lane].pop(0)
            try:
                ticket.work()
            finally:
                with self._changed:
                    self._busy[lane], ticket.over = None, True
                    self._changed.notify_all()

    def place(self, ticket: Ticket) -> int:
        """See `Ticket.place`."""
        with self._changed:
            queue = self._queues[ticket.lane]
            return queue.index(ticket) + (self._busy[ticket.lane] is not None) if ticket in queue else 0

    def withdraw(self, ticket: Ticket) -> bool:
        """See `Ticket.withdraw`."""
        with self._changed:
            if waiting := ticket in self._queues[ticket.lane]:
                self._queues[ticket.lane].remove(ticket)
                ticket.over = True
                self._changed.notify_all()
            return waiting

    def wait(self, ticket: Ticket, timeout: float | None = None) -> bool:
        """Whether a job is over, after waiting for it so many seconds at most."""
        with self._changed:
            return self._changed.wait_for(lambda: ticket.over, timeout)
