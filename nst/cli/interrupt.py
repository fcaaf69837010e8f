"""Handle Ctrl-C and SIGTERM so that the picture is kept."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 1.0  # seconds in which a signal counts once: launchers such as `uv run` repeat the terminal's Ctrl-C

SIGNALS = (signal.SIGINT, signal.SIGTERM)
"""The requests to end: Ctrl-C, and what `docker stop`, SLURM and systemd send."""


def terminate_as_interrupt() -> None:
    """Let SIGTERM raise `KeyboardInterrupt`, as Ctrl-C does, unless the process was started with SIGTERM ignored."""
    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, signal.default_int_handler)


def ignore_interrupts() -> None:
    """Ignore Ctrl-C and SIGTERM from now on: the picture is being written, or the process is about to end."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise `KeyboardInterrupt` for Ctrl-C or SIGTERM, but only once within `GRACE` seconds.

    A second signal must not end what the first asks for. After a signal the process is about to end, and both are
    ignored on exit of the context.
    """
    last = -math.inf

    def interrupt(*_: object) -> None:
        nonlocal last
        since, last = time.monotonic() - last, time.monotonic()
        if since > GRACE:
            raise KeyboardInterrupt

    before = {number: signal.signal(number, interrupt) for number in SIGNALS}
    try:
        yield
    finally:
        if last > -math.inf:
            ignore_interrupts()
        else:
            for number, handler in before.items():
                signal.signal(number, handler)
