"""Holds back what LiteRT and TensorFlow chatter on stderr from C++, where no Python setting reaches."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from tempfile import TemporaryFile

CHATTER = re.compile(
    rb"INFO: Created TensorFlow Lite|WARNING: All log messages before absl::|[IWE]\d{4} \d\d:|[IWE]\d{4} [\d:.]+ |"
    rb"\d{4}-\d\d-\d\d [\d:.]+: [IWE] |To enable the following instructions"
)
"""How the lines begin that are dropped; fatal errors (F) are none of them."""

_LOCK = threading.RLock()


@contextmanager
def quiet() -> Iterator[None]:
    """Keep stderr's file descriptor aside; at the end, pass on all that is not `CHATTER`, other threads' too."""
    with _LOCK, TemporaryFile() as buffer:
        try:
            with _redirected(buffer.fileno()):
                yield
        finally:
            buffer.seek(0)
            if messages := b"".join(line for line in buffer if not CHATTER.match(line)):
                os.write(2, messages)


@contextmanager
def _redirected(target: int) -> Iterator[None]:
    try:
        saved = os.dup(2)
    except OSError:  # started without a stderr: nothing to hold back
        saved = -1
    if saved < 0:
        yield
        return
    _flush()
    os.dup2(target, 2)
    try:
        yield
    finally:
        _flush()
        os.dup2(saved, 2)
        os.close(saved)


def _flush() -> None:
    with suppress(Exception):  # it may be None, closed, or a test's own
        sys.stderr.flush()
