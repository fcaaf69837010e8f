"""Run jobs on devices: each device has a queue and a worker process, so a crash ends only that process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from threading import Lock, Timer
from typing import Protocol

from nst.orders import Event, Failed, Order
from nst.ui.device_queue import JobQueue, Ticket, device_for
from nst.ui.run_state import RunState

PATIENCE = 10.0  # seconds from a stop request until the process is killed


class PaintWorker(Protocol):
    """A worker process that stylizes one image at a time."""

    def paint(self, order: Order) -> Iterator[Event]:
        """Yield every event up to `Done` or `Failed`."""

    def stop(self) -> None:
        """Stop the current image and keep the best result so far."""

    def kill(self) -> None:
        """Kill the process."""


class WorkerPool:
    """Worker processes, one for each device. `start_worker` creates the worker of a device."""

    def __init__(self, start_worker: Callable[[], PaintWorker]) -> None:
        self._start_worker = start_worker
        self.queue = JobQueue()
        self._lock = Lock()
        self._workers: dict[str, PaintWorker] = {}

    def start(self, run: RunState) -> Ticket:
        """Queue a run for its device."""
        device = device_for(str(run.order.recipe.get("device", "auto")))
        run.ticket = self.queue.submit(device, lambda: self._paint(run, self._worker(device)))
        return run.ticket

    def _paint(self, run: RunState, worker: PaintWorker) -> None:
        if run.stopping:
            run.take(Failed("the run was stopped before it started"))
            return
        run.begin()
        try:
            for event in worker.paint(run.order):
                run.take(event)
        except Exception as error:  # a crash of the worker must fail this run only
            run.take(Failed(f"the worker process has ended: {error}", "try a smaller size, or another device"))
        if not run.over:
            run.take(Failed("the worker process has ended without a result", "try a smaller size, or another device"))

    def _worker(self, device: str) -> PaintWorker:
        with self._lock:
            if device not in self._workers:
                self._workers[device] = self._start_worker()
            return self._workers[device]

    def stop(self, run: RunState) -> None:
        """Stop a run and keep the best result so far. Kill a worker that does not stop in `PATIENCE` seconds."""
        run.stopping = True
        ticket = run.ticket
        if ticket is None or run.over:
            return
        if ticket.withdraw():
            run.take(Failed("the run was stopped before it started"))
            return
        worker = self._worker(ticket.device)
        worker.stop()
        timer = Timer(PATIENCE, self._force, (run, worker))
        timer.daemon = True
        timer.start()

    @staticmethod
    def _force(run: RunState, worker: PaintWorker) -> None:
        if not run.over:
            worker.kill()

    def close(self) -> None:
        """Kill every worker process."""
        with self._lock:
            for worker in self._workers.values():
                worker.kill()
            self._workers.clear()
