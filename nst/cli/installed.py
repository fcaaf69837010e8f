"""Load the installed plugins for a command. No Typer here: see `nst.cli`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from nst.plugins.host import Plugins


def installed(load: Callable[[], Plugins] = Plugins.from_environment) -> Plugins:
    """Return the installed plugins. Undo the changes they make to streams and current folder while they load.

    Their output goes to stderr, also output from C: another program may read stdout.
    """
    with _own_folder(), _own_streams():
        return load()


@contextmanager
def _own_folder() -> Iterator[None]:
    before = ""
    with suppress(OSError):  # it has been deleted
        before = os.getcwd()
    yield
    if before:
        with suppress(OSError):
            os.chdir(before)


@contextmanager
def _own_streams() -> Iterator[None]:
    streams = {1: sys.stdout, 2: sys.stderr}
    copies = {}
    sys.stdout.flush()
    with suppress(OSError):  # closed already
        copies = {number: os.dup(number) for number in streams}
        os.dup2(2, 1)
    try:
        yield
    finally:
        for stream in streams.values():
            with suppress(OSError, ValueError):  # closed
                stream.flush()
        for number, copy in copies.items():
            os.dup2(copy, number)
            os.close(copy)
        sys.stdout, sys.stderr = (_open_again(number, stream) for number, stream in streams.items())


def _open_again(number: int, stream: TextIO) -> TextIO:
    """Return the stream, or, if it has been closed, another on the same descriptor."""
    if not stream.closed:
        return stream
    return open(number, "w", encoding=stream.encoding, errors="backslashreplace", closefd=False)
