"""A painter in a process of its own: one framework, and a crash of it is nobody else's."""

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

SHOWN = 8  # lines of what a process said last


class Worker:
    """Paints orders one after another; the process begins with the first.

    What is loaded for one picture is there for the next. An order for another backend gets another process, since two
    frameworks may not get on in one. A worker ends with its parent, whatever the parent dies of. It is one of `jobs`
    that share the cores.

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
        """The number of the process, None for none."""
        return self._process.pid if self._process else None

    def paint(self, order: Order) -> Iterator[Event]:
        """What happens to an order, as it happens; the last event is `Done` or `Failed`.

        One order at a time. Whoever leaves before the last event ends the process.
        """
        event: Event | None = None
        process = self._process_for(str(order.recipe.get("backend", Recipe.backend)))
        self._idle = False
        try:
            with suppress(OSError, ValueError):  # it has died: the end of its events tells
                self._write({**asdict(order), "folder": order.folder or os.getcwd()})
            for line in process.stdout or ():
                yield (event := decode(line))
                if isinstance(event, Done | Failed):
                    return
            yield (event := self._death(process.wait()))
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
                self._process = self._started()
            self._backend, self._killed = backend, self._closed
        return self._process

    def _started(self) -> subprocess.Popen[bytes]:
        if self._closed:
            raise NstError("the worker was ended")
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - for as long as the process
        return subprocesses.start("nst.worker.painter", log=self._log, jobs=self._jobs, **pipes)

    def stop(self) -> None:
        """End the steps after the next one: the best image so far is the picture. From any thread."""
        if self._process is not None:
            with suppress(OSError, ValueError):
                self._write("stop")

    def close(self) -> None:
        """End the process at once, and begin no other. From any thread."""
        with self._lock:
            self._closed = True
        self.kill()

    def kill(self) -> None:
        """End the process at once. From any thread."""
        if self._process is not None:
            self._killed = True
            self._process.kill()
            self._process.wait()
            self._forget()

    def _forget(self) -> None:
        """Let go of what a process that has ended needed; its events are for whoever reads them."""
        assert self._process is not None
        with suppress(OSError, ValueError):  # what was not sent yet
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
        said = self._log.read().decode("utf-8", "replace")
        _, crash, where = said.rpartition("Fatal Python error")
        lines = (crash + where if crash else said).strip().splitlines()
        hint = "\n".join(lines[:SHOWN] if crash else lines[-SHOWN:])
        return Failed(f"the worker {subprocesses.ended(code, said)}", hint, signal=subprocesses.signal_of(code))
