"""How a run goes, as it goes: a live bar on a terminal, a line per size anywhere else."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as Bar
from rich.table import Column

from nst.estimate.eta import Clock

if TYPE_CHECKING:
    from nst.engine.level_run import Progress
    from nst.job.job import Job

BAR = 24  # columns
ROOM = 116  # columns in which a bar fits beside the losses
FOREVER = 10**12  # seconds; timedelta knows little more
NARROW = 60  # columns below which even the losses do not


CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""What a terminal obeys instead of showing it, and what turns the order of letters around."""


def say(line: str) -> None:
    """Print a line on stderr, if it is still open; stdout stays free for data.

    A line may hold what a file says of itself: no character of it is a terminal's command.
    """
    with suppress(OSError):
        sys.stderr.write(harmless(line) + "\n")


def harmless(text: str) -> str:
    """Return the text without control characters."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


class Watcher:
    """Shows every step of a job on stderr, unless `quiet`; a note is shown even on a bar."""

    def __init__(self, job: Job, *, quiet: bool = False) -> None:
        console = Console(stderr=True)
        self._quiet = quiet
        self._live = console.is_interactive and console.width >= NARROW and not quiet
        self._printed: set[str] = set()
        self._clock = Clock(job.sizes, job.steps)
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            *([BarColumn(bar_width=BAR)] if console.width >= ROOM else []),
            MofNCompleteColumn(),
            TextColumn("{task.fields[left]}", markup=False),
            TextColumn("{task.fields[detail]}", markup=False, table_column=Column()),  # gives way: it alone may wrap
            console=console,
            disable=not self._live,
        )
        self._task = self._bar.add_task("starting", total=sum(job.steps), detail="", left="")

    def __enter__(self) -> Watcher:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def show(self, progress: Progress) -> None:
        """One step."""
        for note in progress.notes:
            self._tell(note)
        planned = self._clock.planned(progress.step, progress.steps)
        detail = harmless(f"{describe(progress.loss, progress.terms)}  {progress.seconds:.2f} s/step")
        if self._live:
            left = time_left(self._clock.left(planned, progress.seconds))
            self._bar.update(self._task, completed=planned, description=f"{progress.size} px", detail=detail, left=left)
        elif planned in self._clock.ends and not self._quiet:
            say(f"{progress.size} px: step {progress.step} of {progress.steps}, {detail}")

    def tell(self, notes: Iterable[str]) -> None:
        """Print the notes that no step has brought."""
        for note in notes:
            if note not in self._printed:
                self._tell(note)

    def _tell(self, note: str) -> None:
        self._printed.add(note)
        if self._live:
            self._bar.console.print(harmless(note), highlight=False, markup=False, soft_wrap=True)
        elif not self._quiet:
            say(note)


def time_left(seconds: float) -> str:
    """`0:00:42 left`."""
    return f"{timedelta(seconds=min(round(seconds), FOREVER))} left"


def describe(loss: float, terms: Mapping[str, float]) -> str:
    """`loss 3.21 (content 1.20, style 2.01)`: the terms summed over layers, by the loss they belong to."""
    sums: dict[str, float] = {}
    for name, value in terms.items():
        kind = name.split(" ")[0]
        sums[kind] = sums.get(kind, 0.0) + value
    return f"loss {loss:.3g} ({', '.join(f'{kind} {value:.3g}' for kind, value in sums.items())})"
