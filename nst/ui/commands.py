"""Run an nst command for a visitor in a process of its own, so that no framework is loaded in the server."""

from __future__ import annotations

import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from threading import Lock, Timer

from nst.ui.device_queue import Ticket
from nst.worker import subprocesses

PATIENCE = 10.0  # seconds from SIGINT until the process is killed


class CommandRun:
    """A run of one command. `code` is its exit code, and `outputs` are its standard output and standard error."""

    def __init__(self, arguments: Sequence[str]) -> None:
        self._arguments = arguments
        self._lock = Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self.ticket: Ticket | None = None
        self.stopped = False
        self.code: int | None = None
        self.outputs = ("", "")

    def run(self) -> None:
        """Run the command to its end. Do nothing if the command was stopped before."""
        with tempfile.TemporaryFile() as log:
            with self._lock:
                if self.stopped:
                    return
                pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE}
                self._process = subprocesses.start("nst", *self._arguments, log=log, **pipes)
            out, _ = self._process.communicate()
            log.seek(0)
            self.outputs = out.decode("utf-8", "replace"), log.read().decode("utf-8", "replace")
            self.code = self._process.returncode

    def stop(self) -> None:
        """Interrupt the command as Ctrl-C does, and kill its process after `PATIENCE` seconds."""
        with self._lock:
            self.stopped = True
            process = self._process
        if self.ticket is not None:
            self.ticket.withdraw()
        if process is not None and process.poll() is None:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGINT)
            timer = Timer(PATIENCE, process.kill)
            timer.daemon = True
            timer.start()

    def errors(self) -> list[tuple[str, str]]:
        """Return the errors on standard error, as pairs of message and hint."""
        errors: list[tuple[str, str]] = []
        for line in self.outputs[1].splitlines():
            if line.startswith("error: "):
                errors.append((line.removeprefix("error: "), ""))
            elif line.startswith("hint: ") and errors:
                errors[-1] = errors[-1][0], line.removeprefix("hint: ")
        return errors or ([(f"the command ended with exit code {self.code}", "")] if self.code else [])
