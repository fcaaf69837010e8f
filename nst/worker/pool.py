"""Run orders in several worker processes on this machine, each fed by a thread."""

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
POLL = 0.2  # seconds between two checks of `stopped`


def execute(
    orders: Iterable[Order],
    *,
    tell: Callable[[Order, Event], object],
    jobs: int = 1,
    stopped: Callable[[], bool] = bool,
) -> Iterator[tuple[Order, Outcome]]:
    """Run orders in `jobs` processes; see `nst.protocols.Executor`. A process takes the next order when it is free.

    Once `stopped()` is true, end the processes at once.
    """
    shared_orders = _SharedIterator(orders)
    messages: Queue[Message] = Queue(QUEUE_SIZE)
    workers = [Worker(jobs) for _ in range(jobs)]
    threads = [threading.Thread(target=_paint, args=(worker, shared_orders, messages)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        for message in _received(messages, len(threads), stopped):
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


def _received(
    messages: Queue[Message], threads: int, stopped: Callable[[], bool]
) -> Iterator[tuple[Order, Event] | BaseException]:
    """Yield the messages until every thread has ended, or until `stopped()` is true."""
    while threads and not stopped():
        with suppress(Empty):
            message = messages.get(timeout=POLL)
            if message is None:
                threads -= 1
            else:
                yield message


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
