"""Handle orders one after another in this process; `nst.worker.client` starts it.

`python -m nst.worker.process` runs this module. Orders arrive on stdin, a line of JSON each; events leave on stdout.
The process ends when its stdin is closed, so it never outlives its parent.
"""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import threading
from collections.abc import Mapping
from functools import partial
from queue import SimpleQueue
from typing import BinaryIO

from nst.orders import Event, Order, Outcome, encode
from nst.specs import resolve
from nst.worker.painter import Painter, Stopped, Tell, failure

HANDLERS: Mapping[str, str] = {
    "picture": "nst.worker.painter:Painter.paint",
    "estimate": "nst.worker.painter:Painter.estimate",
    "cell": "nst.compare.cell_run:paint",
    "probed cell": "nst.compare.cell_run:probe",
    "comparison": "nst.compare.comparison:compare_order",
}
"""The function for each kind of order: `(painter, order, tell, stopped) -> Outcome`. It may raise any exception."""


TERMINATED = 143
"""The exit code of a process after SIGTERM: 128 + 15."""


def handle(painter: Painter, order: Order, tell: Tell, stopped: Stopped) -> Outcome:
    """Run the handler of an order. An exception becomes `Failed`."""
    try:
        outcome: Outcome = resolve(HANDLERS[order.kind])(painter, order, tell, stopped)
    except (Exception, SystemExit) as error:  # a framework may raise anything
        return failure(error)
    return outcome


class _Inbox(threading.Thread):
    """Reads stdin while the main thread works: orders, and the request to stop the order in progress."""

    def __init__(self, lines: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._lines = lines
        self.orders: SimpleQueue[Order] = SimpleQueue()
        self.stop = threading.Event()
        self.terminated = self._idle = False

    def wait(self) -> Order:
        """Return the next order."""
        self._idle = True
        order = self.orders.get()
        self._idle = False
        return order

    def terminate(self, *_: object) -> None:
        """Stop the order in progress, or end the process if there is none; the handler of SIGTERM."""
        if self._idle:
            os._exit(TERMINATED)
        self.terminated = True
        self.stop.set()

    def run(self) -> None:
        for line in self._lines:
            message = json.loads(line)
            if message == "stop":
                self.stop.set()
            else:
                self.stop.clear()
                self.orders.put(Order(**message))
        os._exit(0)  # the parent has closed the pipe or ended


def main() -> None:
    """Handle the orders from stdin.

    A framework's prints go to stderr, so that stdout carries events only; a framework cannot read the orders. SIGTERM
    ends the order in progress with the best image so far, and then the process.
    """
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events, lines = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    inbox, painter, tell = _Inbox(lines), Painter(), partial(_send, events)
    inbox.start()
    signal.signal(signal.SIGTERM, inbox.terminate)
    while not inbox.terminated:
        tell(handle(painter, inbox.wait(), tell, inbox.stop.is_set))
    os._exit(TERMINATED)  # the thread that reads stdin would not let the interpreter end


def _send(events: BinaryIO, event: Event) -> None:
    events.write(encode(event))
    events.flush()


if __name__ == "__main__":
    main()
