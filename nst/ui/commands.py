"""A command of nst run for a visitor, in a process of its own: what needs a framework and is no picture."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Timer

from nst.ui.queue import Ticket
from nst.worker import subprocesses

PATIENCE = 10.0  # seconds in which a command must end by itself


class Errand:
    """One command, `words` as on the command line. `code` is its exit code once it is over, `said` its two outputs."""

    def __init__(self, words: Sequence[str]) -> None:
        self._words = words
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.ticket: Ticket | None = None
        self.stopped = False
        self.code: int | None = None
        self.said = ("", "")

    def run(self) -> None:
        """Run it, from beginning to end; nothing if it was stopped before."""
        with tempfile.TemporaryFile() as log:
            with self._lock:
                if self.stopped:
                    return
                pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
                self._process = subprocesses.start("nst", *self._words, log=log, **pipes)
            out, _ = self._process.communicate()
            log.seek(0)
            self.said = out.decode("utf-8", "replace"), log.read().decode("utf-8", "replace")
            self.code = self._process.returncode

    def stop(self) -> None:
        """End it as Ctrl-C would, and by force if it does not end."""
        with self._lock:
            self.stopped = True
            process = self._process
        if self.ticket is not None:
            self.ticket.withdraw()
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            patience = Timer(PATIENCE, process.kill)
            patience.daemon = True
            patience.start()

    def mistakes(self) -> list[tuple[str, str]]:
        """What it said went wrong, each with its hint."""
        found: list[tuple[str, str]] = []
        for line in self.said[1].splitlines():
            if line.startswith("error: "):
                found.append((line.removeprefix("error: "), ""))
            elif line.startswith("hint: ") and found:
                found[-1] = found[-1][0], line.removeprefix("hint: ")
        return found or ([(f"it ended with exit code {self.code}", "")] if self.code else [])
