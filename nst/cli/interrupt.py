"""Handle Ctrl-C so that the picture is kept."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 1.0  # seconds in which Ctrl-C counts once: the terminal sends it, and a launcher such as `uv run` again


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Raise `KeyboardInterrupt` once for a Ctrl-C that is repeated within `GRACE` seconds.

    Afterwards the process is ending, and Ctrl-C is ignored.
    """
    last = -math.inf

    def on_interrupt(*_: object) -> None:
        nonlocal last
        since, last = time.monotonic() - last, time.monotonic()
        if since > GRACE:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, on_interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if last == -math.inf else signal.SIG_IGN)
