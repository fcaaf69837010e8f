"""Run the cells of a comparison in worker processes, so that a crash of a framework costs one cell only."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from nst.compare.parity import load_facts
from nst.estimate.memory import available_memory
from nst.orders import Event, Failed, Order, Stage
from nst.recipe.recipe import ENGINE_FIELDS
from nst.worker import pool, subprocesses

PROCESS = 1.0e9  # bytes a framework takes before it reads an image: PyTorch 0.4e9, TensorFlow 0.8e9
PER_PIXEL = 3.0e3  # bytes: the activations that a full VGG-19 keeps for its gradient
LOG = "log.txt"

CellWatch = Callable[[Mapping[Path, str]], None]
"""Called after every change, with the current stage of each running cell by folder."""

Stopped = Callable[[], bool]


def is_finished(folder: Path) -> bool:
    """Return whether a cell's folder has the results of every stage."""
    return bool(load_facts(folder).get("finished")) and (folder / "picture.png").is_file()


def affordable(wanted: int, size: int) -> tuple[int, str]:
    """Return how many of `wanted` processes fit cores and memory, for images of `size` pixels, and the reason."""
    cores, memory = subprocesses.cores(), available_memory()
    fitting = wanted if memory is None else max(1, int(memory / (PROCESS + PER_PIXEL * size**2)))
    jobs = min(wanted, cores, fitting)
    limit = f"{cores} cores" if cores <= fitting else f"{(memory or 0) / 1e9:.1f} GB of free memory"
    return jobs, "" if jobs == wanted else f"--jobs {wanted}: running {jobs} at a time, for {limit}"


def run(orders: Sequence[Order], jobs: int, watch: CellWatch, stopped: Stopped = bool) -> None:
    """Run the orders of cells in `jobs` worker processes; failures are in the facts of the cells' folders.

    Cells of one network run one after another, so that a process loads it once. After the death of a process another
    one continues with the next cell. Ctrl-C and `stopped()` end the processes, and leave the finished folders.
    """
    stages: dict[Path, str] = {}

    def tell(order: Order, event: Event) -> None:
        if isinstance(event, Stage):
            stages[Path(order.output)] = event.text
            watch(stages)

    emptied = _emptied(_by_network(orders))
    with closing(pool.execute(emptied, tell=tell, jobs=jobs, stopped=stopped)) as outcomes:  # type: ignore[type-var]
        for order, outcome in outcomes:
            stage = stages.pop(Path(order.output), "start")
            if isinstance(outcome, Failed):
                _record(Path(order.output), stage, outcome)
            watch(stages)


def _by_network(orders: Sequence[Order]) -> list[Order]:
    """Return the orders of each network together, in the order of first appearance."""
    networks = [json.dumps([order.recipe.get(name) for name in ENGINE_FIELDS], sort_keys=True) for order in orders]
    pairs = sorted(zip(networks, orders, strict=True), key=lambda pair: networks.index(pair[0]))
    return [order for _, order in pairs]


def _emptied(orders: Iterable[Order]) -> Iterator[Order]:
    """Yield each order after emptying its folder."""
    for order in orders:
        shutil.rmtree(order.output, ignore_errors=True)
        Path(order.output).mkdir(parents=True)
        yield order


def _record(folder: Path, stage: str, failed: Failed) -> None:
    """Record why a process ended in the facts of a cell."""
    facts: dict[str, Any] = {"finished": False, "failures": {}} | load_facts(folder)
    facts["failures"][stage] = failed.message
    if failed.hint:
        (folder / LOG).write_text(failed.hint, "utf-8")
        facts["failures"][stage] += f"; see {folder / LOG}"
    (folder / "facts.json").write_text(json.dumps(facts, indent=2), "utf-8")
