"""The executor of one machine: a few workers, each fed by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, Queue

from nst.orders import Done, Event, Failed, Order, Outcome
from nst.worker.client import Worker

Told = tuple[Order, Event] | BaseException | None
"""What a thread reports: an event, what taking the next order raised, or that it has ended."""

WAITING = 64  # events that nobody has asked for yet: then the painting waits


def execute(
    orders: Iterable[Order], *, tell: Callable[[Order, Event], object], jobs: int = 1
) -> Iterator[tuple[Order, Outcome]]:
    """See `nst.protocols.Executor`. Each of `jobs` processes takes the next order when it has painted its last."""
    source = _Shared(orders)
    told: Queue[Told] = Queue(WAITING)
    workers = [Worker(jobs) for _ in range(jobs)]
    threads = [threading.Thread(target=_paint, args=(worker, source, told)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            while (found := told.get()) is not None:
                if isinstance(found, BaseException):
                    raise found
                if isinstance(found[1], Done | Failed):
                    yield found[0], found[1]
                else:
                    tell(*found)
    finally:
        source.close()
        for worker in workers:
            worker.close()
        _drain(told, threads)


def _drain(told: Queue[Told], threads: Sequence[threading.Thread]) -> None:
    """Wait for threads that may be waiting for somebody to listen."""
    while any(thread.is_alive() for thread in threads):
        with suppress(Empty):
            told.get(timeout=0.05)


class _Shared:
    """An iterator that several threads take from."""

    def __init__(self, orders: Iterable[Order]) -> None:
        self._orders = iter(orders)
        self._lock = threading.Lock()
        self._closed = False

    def __iter__(self) -> Iterator[Order]:
        return self

    def __next__(self) -> Order:
        with self._lock:
            if self._closed:
                raise StopIteration
            return next(self._orders)

    def close(self) -> None:
        """Give no more."""
        self._closed = True


def _paint(worker: Worker, orders: Iterable[Order], told: Queue[Told]) -> None:
    try:
        for order in orders:
            for event in worker.paint(order):
                told.put((order, event))
    except BaseException as error:
        told.put(error)
    finally:
        told.put(None)
