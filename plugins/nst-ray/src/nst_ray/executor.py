"""The executor: workers across a cluster, each given an order when it has painted its last; others when they die."""

from __future__ import annotations

import sys
import time
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import ray
from ray.exceptions import RayError, RayTaskError

from nst import NstError
from nst.orders import Event, Failed, Order, Outcome
from nst_ray.cluster import connected, room
from nst_ray.painting import Painting, Unfit

Came = Iterator[tuple[Order, Outcome]]

PATIENCE = 5.0
"""Seconds between two looks at how many workers there is room for: machines come and go."""

PAUSE = 0.5
"""Seconds before a worker is hired in place of one that died so, more each time."""

STILLBORN = 5
"""Workers that may die in a row before they have painted anything."""


def execute(
    orders: Iterable[Order],
    *,
    tell: Callable[[Order, Event], object],
    address: str = "",
    jobs: int = 0,
    num_cpus: float = 1.0,
    num_gpus: float = 0.0,
    retries: int = 2,
) -> Came:
    """See `nst.protocols.Executor`. No more orders are taken than there are workers."""
    with connected(address):
        crew = Crew(jobs, num_cpus, num_gpus)
        try:
            yield from Run(crew, orders, tell, retries).outcomes()
        finally:
            crew.dismiss()


class Crew:
    """The workers: as many as are wanted, or as there is room for, machine by machine."""

    def __init__(self, jobs: int, num_cpus: float, num_gpus: float) -> None:
        self._jobs = jobs
        self._needs = {"CPU": num_cpus, "GPU": num_gpus}
        self._actor: Any = ray.remote(Painting).options(num_cpus=num_cpus, num_gpus=num_gpus)
        self.workers: list[Any] = []

    def hire(self) -> list[Any]:
        """Start workers for free slots. Raises `NstError` if there is no room for any worker."""
        jobs = self._jobs or room(self._needs)
        if not (jobs or self.workers):
            needs = f"{self._needs['CPU']:g} CPUs and {self._needs['GPU']:g} GPUs"
            raise NstError(
                f"no machine of the cluster has {needs} for a worker", "ask for less: --num-cpus, --num-gpus"
            )
        new = [self._actor.remote(sys.path) for _ in range(jobs - len(self.workers))]
        self.workers += new
        return new

    def leave(self, worker: Any) -> None:
        """One has died."""
        self.workers.remove(worker)

    def dismiss(self) -> None:
        """All of them, at once."""
        for worker in self.workers:
            ray.kill(worker)
        self.workers.clear()


@dataclass(frozen=True)
class Task:
    """What a worker does: it paints an order for the so manieth time, or begins, and then has none."""

    worker: Any
    order: Order | None = None
    times: int = 0


class Run:
    """One call of the executor."""

    def __init__(
        self, crew: Crew, orders: Iterable[Order], tell: Callable[[Order, Event], object], retries: int
    ) -> None:
        self._crew, self._tell, self._retries = crew, tell, retries
        self._orders = iter(orders)
        self._again: deque[tuple[Order, int]] = deque()
        self._tasks: dict[Any, Task] = {}
        self._idle: list[Any] = []
        self._unfit: list[str] = []
        self._stillborn = 0

    def outcomes(self) -> Came:
        """Each order with what became of it."""
        while self._more() or self._painting():
            if self._more():
                self._hire()
            ready, _ = ray.wait(list(self._tasks), timeout=PATIENCE)
            for reference in ready:
                yield from self._returned(reference, self._tasks.pop(reference))

    def _more(self) -> bool:
        """Whether there is an order to be painted; the next one is then the first of `_again`."""
        if not self._again and (order := next(self._orders, None)) is not None:
            self._again.append((order, 0))
        return bool(self._again)

    def _painting(self) -> bool:
        return any(task.order is not None for task in self._tasks.values())

    def _hire(self) -> None:
        """Put to work who has nothing to do, and new workers where there is room."""
        while self._idle and self._more():
            self._give(self._idle.pop())
        for worker in self._crew.hire():
            self._tasks[worker.where.remote()] = Task(worker)
        if not self._tasks:
            raise NstError(f"no machine can paint: {'; '.join(dict.fromkeys(self._unfit))}", "install it there")

    def _give(self, worker: Any) -> None:
        if self._more():
            order, times = self._again.popleft()
            self._tasks[worker.paint.remote(order)] = Task(worker, order, times + 1)
        else:
            self._idle.append(worker)

    def _returned(self, reference: Any, task: Task) -> Came:
        try:
            answer = ray.get(reference)
        except RayTaskError as error:
            yield from self._raised(task, error)
        except RayError as error:
            yield from self._died(task, error)
        else:
            if task.order is not None:
                self._stillborn = 0
                events, outcome = answer
                for event in events:
                    self._tell(task.order, event)
                yield task.order, outcome
            self._give(task.worker)

    def _raised(self, task: Task, error: RayTaskError) -> Came:
        """Leave a worker idle on a machine that cannot stylize, so that no other worker takes its slot."""
        if task.order is None or isinstance(error.cause, Unfit):
            self._unfit.append(str(error.cause))
            warnings.warn(f"a worker is left out: {error.cause}", stacklevel=2)
            if task.order is not None:
                self._again.append((task.order, task.times - 1))
            return
        yield task.order, Failed(f"{type(error.cause).__name__}: {error.cause}")
        self._give(task.worker)

    def _died(self, task: Task, error: RayError) -> Came:
        self._crew.leave(task.worker)
        reason = " ".join(str(error).split())
        if task.order is None:
            self._stillborn += 1
            if self._stillborn >= STILLBORN:
                raise NstError(f"workers die before they paint: {reason}", "see the logs of Ray on that machine")
            time.sleep(self._stillborn * PAUSE)  # a machine that has gone may be offered for a while
        elif task.times <= self._retries:
            self._again.append((task.order, task.times))
        else:
            yield task.order, Failed(f"the worker died, {task.times} times", reason)
