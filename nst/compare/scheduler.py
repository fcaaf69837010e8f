"""Runs the cells in processes of their own, so that one framework's end is nobody else's."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst.compare.parity import load_facts
from nst.worker import subprocesses

POLL = 0.05  # seconds
PROCESS = 1.0e9  # bytes a framework takes before it sees a picture: PyTorch 0.4e9, TensorFlow 0.8e9
PER_PIXEL = 3.0e3  # bytes: the activations a full VGG-19 keeps for its gradient
LOG = "log.txt"

Orders = Mapping[Path, Mapping[str, Any]]
"""Folders, and what a worker is to do in each."""

CellWatch = Callable[[Mapping[Path, str]], None]
"""Called whenever something changed, with what each running folder is doing."""


def finished(folder: Path) -> bool:
    """Whether a worker has been through this folder and missed nothing."""
    return bool(load_facts(folder).get("finished")) and (folder / "picture.png").is_file()


def affordable(wanted: int, size: int) -> tuple[int, str]:
    """How many of `wanted` processes to run at once for pictures of `size` pixels, and why not all, if not."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    memory = _free_memory()
    fitting = wanted if memory is None else max(1, int(memory / (PROCESS + PER_PIXEL * size**2)))
    jobs = min(wanted, cores, fitting)
    limit = f"{cores} cores" if cores <= fitting else f"{(memory or 0) / 1e9:.1f} GB of free memory"
    return jobs, "" if jobs == wanted else f"--jobs {wanted}: running {jobs} at a time, for {limit}"


def _free_memory() -> float | None:
    """Bytes that can be had without swapping; None where the system does not tell."""
    try:
        lines = Path("/proc/meminfo").read_text("ascii").splitlines()
        return next(float(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return None


@dataclass(frozen=True)
class CellProcess:
    """A process, and the orders it carries out in turn."""

    process: subprocess.Popen[bytes]
    orders: Orders
    log: Path

    @property
    def folder(self) -> Path:
        """Where it is at work."""
        first, *rest = self.orders
        return next((folder for folder in reversed(rest) if _stage(folder)), first)

    def left(self) -> Orders:
        """Record why a process has ended, and return the orders it had not started."""
        if self.process.returncode == 0:
            return {}
        folder, folders = self.folder, list(self.orders)
        _record(folder, self.process.returncode, self.log)
        return {each: self.orders[each] for each in folders[folders.index(folder) + 1 :]}


def run(batches: Sequence[Orders], jobs: int, watch: CellWatch) -> None:
    """Carry out each batch of orders by a worker, `jobs` at a time; what went wrong is in the folders' facts.

    A worker that dies is followed by another, for what it had not begun. Whatever ends this, Ctrl-C included, ends the
    workers too, and leaves the folders that were finished.
    """
    waiting, running = [batch for batch in batches if batch], list[CellProcess]()
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                running.append(_start(waiting.pop(0), jobs))
            for worker in [each for each in running if each.process.poll() is not None]:
                running.remove(worker)
                waiting[:0] = [rest] if (rest := worker.left()) else []
            watch({worker.folder: _stage(worker.folder) for worker in running})
            time.sleep(POLL)
    finally:
        for worker in running:
            worker.process.kill()
            worker.process.wait()


def _start(orders: Orders, jobs: int) -> CellProcess:
    for folder, order in orders.items():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "job.json").write_text(json.dumps(order, indent=2), "utf-8")
    files = [str(folder / "job.json") for folder in orders]
    path = next(iter(orders)) / LOG
    with path.open("wb") as log:
        pipes = {"stdin": subprocess.DEVNULL, "stdout": log}
        process = subprocesses.start("nst.compare.worker", *files, log=log, jobs=jobs, **pipes)
    return CellProcess(process, orders, path)


def _record(folder: Path, code: int, log: Path) -> None:
    """How a worker ended, where it could not write that down itself."""
    facts: dict[str, Any] = {"finished": False, "failures": {}} | load_facts(folder)
    facts["failures"][_stage(folder) or "start"] = _end(code, log)
    (folder / "facts.json").write_text(json.dumps(facts, indent=2), "utf-8")


def _end(code: int, log: Path) -> str:
    how = subprocesses.ended(code, _text(log))
    return f"{how}; see {log}" if how.startswith("died of") else how


def _stage(folder: Path) -> str:
    return _text(folder / "stage")


def _text(file: Path) -> str:
    try:
        return file.read_text("utf-8", "replace")
    except OSError:
        return ""
