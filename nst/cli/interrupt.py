"""Ctrl-C, which must not cost the picture that it asks for."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

GRACE = 1.0  # seconds in which Ctrl-C counts once: a launcher such as `uv run` passes on what the terminal has sent too


@contextmanager
def interrupted_once() -> Iterator[None]:
    """Ctrl-C, and again right after, is one Ctrl-C: a second must not end what the first asks for.

    After it the process is on its way out, and Ctrl-C does nothing any more.
    """
    heard = -math.inf

    def hear(*_: object) -> None:
        nonlocal heard
        since, heard = time.monotonic() - heard, time.monotonic()
        if since > GRACE:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if heard == -math.inf else signal.SIG_IGN)
