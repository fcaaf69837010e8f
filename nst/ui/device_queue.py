"""Queue jobs for devices: each device runs one job at a time, in the order of submission.

Order, cancelling and waiting are those of `concurrent.futures`: one executor with one thread for each device.
A future does not know how many jobs are before it, so a `Ticket` keeps them. Turns are fair, because a visitor has at
most one picture and one command in the queue (see `nst.ui.service`).
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from threading import Lock

from nst.devices import gpu_present


def device_for(device: str) -> str:
    """Return the device for which a job with this `--device` waits. `auto` is the fastest available device."""
    if device != "auto":
        return device
    return "cuda" if gpu_present() else "mps" if sys.platform == "darwin" else "cpu"


class Ticket:
    """A queued job. `earlier` are the jobs that were unfinished when this job was submitted."""

    def __init__(self, device: str, job: Future[None], earlier: Sequence[Future[None]]) -> None:
        self.device = device
        self._job, self._earlier = job, earlier

    @property
    def over(self) -> bool:
        """Whether the job has ended or was withdrawn."""
        return self._job.done()

    @property
    def place(self) -> int:
        """The number of jobs before this one, 0 for a running or finished job."""
        return 0 if self.over else sum(not job.done() for job in self._earlier)

    def withdraw(self) -> bool:
        """Remove the job from the queue. Return False if the job has already started, or is over."""
        return not self.over and self._job.cancel()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait up to `timeout` seconds for the job. Return whether the job is over."""
        return bool(wait([self._job], timeout).done)


class JobQueue:
    """Queues of jobs, one for each device."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._executors: dict[str, ThreadPoolExecutor] = {}
        self._unfinished: dict[str, list[Future[None]]] = {}

    def submit(self, device: str, work: Callable[[], None]) -> Ticket:
        """Queue a job for a device. `work` must handle its own errors."""
        with self._lock:
            if device not in self._executors:
                self._executors[device] = ThreadPoolExecutor(1, thread_name_prefix=f"queue {device}")
            earlier = [job for job in self._unfinished.get(device, ()) if not job.done()]
            job = self._executors[device].submit(work)
            self._unfinished[device] = [*earlier, job]
        return Ticket(device, job, earlier)

    def close(self) -> None:
        """Withdraw every job that has not started, and accept no more."""
        with self._lock:
            for executor in self._executors.values():
                executor.shutdown(wait=False, cancel_futures=True)
