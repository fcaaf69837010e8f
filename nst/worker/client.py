"""Run orders in a separate process, so that a crash of the framework does not end this one."""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from nst.errors import NstError
from nst.orders import Done, Event, Failed, Order, decode
from nst.recipe.recipe import Recipe
from nst.worker import subprocesses

SHOWN = 8  # last lines of a process' stderr in an error


class Worker:
    """A process that runs orders one after another; the process starts with the first order.

    A loaded network is used again for the next order. An order for another backend starts another process, because
    two frameworks may conflict in one. The process ends with its parent in any case. `jobs` workers share the cores.

        with Worker() as worker:
            for event in worker.paint(Order("content.jpg", ["style.jpg"], "out.png", {"size": 256})):
                print(event)
    """

    def __init__(self, jobs: int = 1) -> None:
        self._jobs = jobs
        self._process: subprocess.Popen[bytes] | None = None
        self._log: Any = None
        self._backend = ""
        self._killed = self._closed = False
        self._idle = True
        self._lock = threading.Lock()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The process id, or None."""
        return self._process.pid if self._process else None

    def paint(self, order: Order) -> Iterator[Event]:
        """Run one order and yield its events; the last is `Done` or `Failed`.

        Closing the iterator before the last event ends the process.
        """
        event: Event | None = None
        process = self._process_for(str(order.recipe.get("backend", Recipe.backend)))
        self._idle = False
        try:
            with suppress(OSError, ValueError):  # the process has died: its events end, which is handled below
                self._write({**asdict(order), "folder": order.folder or os.getcwd()})
            for line in process.stdout or ():
                yield (event := decode(line))
                if isinstance(event, Done | Failed):
                    return
            yield (event := self._death(subprocesses.wait(process)))
        finally:
            self._idle = True
            if not isinstance(event, Done | Failed):
                self.kill()
            if process.poll() is not None and process.stdout is not None:
                process.stdout.close()

    def _process_for(self, backend: str) -> subprocess.Popen[bytes]:
        if self._process is None or backend != self._backend or self._process.poll() is not None:
            self.kill()
            with self._lock:
                self._process = self._start()
            self._backend, self._killed = backend, self._closed
        return self._process

    def _start(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise NstError("the worker was ended")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the process
        return subprocesses.start("nst.worker.process", log=self._log, jobs=self._jobs, **pipes)

    def stop(self) -> None:
        """End the run after the next step, with the best image so far. Callable from any thread."""
        if self._process is not None:
            with suppress(OSError, ValueError):
                self._write("stop")

    def close(self) -> None:
        """End the process at once, and start no other. Callable from any thread."""
        with self._lock:
            self._closed = True
        self.kill()

    def kill(self) -> None:
        """End the process at once. Callable from any thread."""
        if self._process is not None:
            self._killed = True
            subprocesses.kill(self._process)
            self._forget()

    def _forget(self) -> None:
        """Close the pipes and the log of an ended process; a thread that reads its events keeps stdout open."""
        assert self._process is not None
        with suppress(OSError, ValueError):  # unsent data
            if self._process.stdin is not None:
                self._process.stdin.close()
        if self._idle and self._process.stdout is not None:
            self._process.stdout.close()
        self._log.close()

    def _write(self, data: Any) -> None:
        assert self._process is not None
        assert self._process.stdin is not None
        with self._lock:
            self._process.stdin.write(json.dumps(data).encode() + b"\n")
            self._process.stdin.flush()

    def _death(self, code: int) -> Failed:
        if self._killed:
            return Failed("the worker was ended", signal=subprocesses.signal_of(code))
        self._log.seek(0, os.SEEK_SET)
        log = self._log.read().decode("utf-8", "replace")
        _, crash, where = log.rpartition("Fatal Python error")
        lines = (crash + where if crash else log).strip().splitlines()
        hint = "\n".join(lines[:SHOWN] if crash else lines[-SHOWN:])
        return Failed(f"the worker {subprocesses.ended(code, log)}", hint, signal=subprocesses.signal_of(code))
