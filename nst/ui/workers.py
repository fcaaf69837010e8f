"""The devices: a queue before each, and a process that paints, which a crash takes down alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock, Timer
from typing import Protocol

from nst.orders import Event, Failed, Order
from nst.ui.commands import Errand
from nst.ui.queue import JobQueue, Ticket, lane
from nst.ui.run_state import RunState

PATIENCE = 10.0  # seconds in which a process must stop by itself


class WarmWorker(Protocol):
    """A process that paints, one picture at a time."""

    def paint(self, order: Order) -> Iterator[Event]:
        """Every event up to `Done` or `Failed`."""

    def stop(self) -> None:
        """End the picture in hand with the best so far."""

    def kill(self) -> None:
        """End the process, now."""


class Studio:
    """Takes runs, and has each painted when its device is free; `hire` makes the painter of a device."""

    def __init__(self, hire: Callable[[], WarmWorker]) -> None:
        self._hire = hire
        self.desk = JobQueue()
        self._lock = Lock()
        self._painters: dict[str, WarmWorker] = {}

    def start(self, run: RunState) -> Ticket:
        """Queue a run for its device."""
        device = lane(str(run.order.recipe.get("device", "auto")))
        run.ticket = self.desk.submit(device, lambda: self._paint(run, self._painter(device)))
        return run.ticket

    def send(self, errand: Errand, device: str) -> Ticket:
        """Queue an errand for a device."""
        errand.ticket = self.desk.submit(lane(device), errand.run)
        return errand.ticket

    def _paint(self, run: RunState, painter: WarmWorker) -> None:
        if run.stopping:
            run.take(Failed("stopped before it began"))
            return
        run.begin()
        try:
            for event in painter.paint(run.order):
                run.take(event)
        except Exception as error:  # whatever a process dies of is this run's trouble alone
            run.take(Failed(f"the process that paints has ended: {error}"))
        if not run.over:
            run.take(Failed("the process that paints has ended without a word"))

    def _painter(self, device: str) -> WarmWorker:
        with self._lock:
            if device not in self._painters:
                self._painters[device] = self._hire()
            return self._painters[device]

    def stop(self, run: RunState) -> None:
        """End a run with the best so far, at once if it has not begun, by force if it does not end by itself."""
        run.stopping = True
        ticket = run.ticket
        if ticket is None or run.over:
            return
        if ticket.withdraw():
            run.take(Failed("stopped before it began"))
            return
        painter = self._painter(ticket.lane)
        painter.stop()
        patience = Timer(PATIENCE, self._force, (run, painter))
        patience.daemon = True
        patience.start()

    @staticmethod
    def _force(run: RunState, painter: WarmWorker) -> None:
        if not run.over:
            painter.kill()

    def close(self) -> None:
        """End every process."""
        with self._lock:
            for painter in self._painters.values():
                painter.kill()
            self._painters.clear()
