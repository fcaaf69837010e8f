"""Run orders in worker processes on this machine, each fed by a thread."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from queue import Empty, Queue

from nst.orders import Done, Event, Failed, Order, Outcome
from nst.worker.client import Worker

Message = tuple[Order, Event] | BaseException | None
"""A message from a thread: an event, an exception from the iterator of orders, or None at the thread's end."""

QUEUE_SIZE = 64  # unread events; a full queue pauses the workers


def execute(
    orders: Iterable[Order], *, tell: Callable[[Order, Event], object], jobs: int = 1
) -> Iterator[tuple[Order, Outcome]]:
    """Run orders in `jobs` processes; see `nst.protocols.Executor`. A process takes the next order when it is free."""
    shared_orders = _SharedIterator(orders)
    messages: Queue[Message] = Queue(QUEUE_SIZE)
    workers = [Worker(jobs) for _ in range(jobs)]
    threads = [threading.Thread(target=_paint, args=(worker, shared_orders, messages)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for _ in threads:
            while (message := messages.get()) is not None:
                if isinstance(message, BaseException):
                    raise message
                if isinstance(message[1], Done | Failed):
                    yield message[0], message[1]
                else:
                    tell(*message)
    finally:
        shared_orders.close()
        for worker in workers:
            worker.close()
        _drain(messages, threads)


def _drain(messages: Queue[Message], threads: Sequence[threading.Thread]) -> None:
    """Wait for the threads to end, and discard their messages, so that no thread waits for a full queue."""
    while any(thread.is_alive() for thread in threads):
        with suppress(Empty):
            messages.get(timeout=0.05)


class _SharedIterator:
    """An iterator for several threads."""

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
        """End the iteration."""
        self._closed = True


def _paint(worker: Worker, orders: Iterable[Order], messages: Queue[Message]) -> None:
    try:
        for order in orders:
            for event in worker.paint(order):
                messages.put((order, event))
    except BaseException as error:
        messages.put(error)
    finally:
        messages.put(None)
