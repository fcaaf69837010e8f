"""Show a run while it runs: a live bar on a terminal, a line per size elsewhere."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Mapping
from contextlib import suppress
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

NARROW, WIDE = 40, 80  # columns of a terminal that has room for a bar, and for losses beside it
BAR, BESIDE_BAR = 24, 34  # columns of the bar, and of size, steps and time left

CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")
"""Characters that a terminal obeys instead of showing them, and those that reverse the order of letters."""


def say(line: str) -> None:
    """Print a line on stderr, if stderr is still open; stdout stays free for data.

    Control characters are replaced: a line may quote a file, which must not command the terminal.
    """
    with suppress(OSError):
        sys.stderr.write(harmless(line) + "\n")


def harmless(text: str) -> str:
    """Return the text without control characters."""
    return CONTROL.sub("\N{REPLACEMENT CHARACTER}", text)


class Watcher:
    """Shows every step of a job on stderr, unless `quiet`; notes are printed above the bar.

    The line never wraps: a terminal cannot redraw a line that does. With `verbose` it ends with the losses.
    """

    def __init__(self, job: Job, *, quiet: bool = False, verbose: bool = False) -> None:
        console = Console(stderr=True)
        self._quiet, self._verbose = quiet, verbose
        self._live = console.is_interactive and console.width >= (WIDE if verbose else NARROW) and not quiet
        self._printed: set[str] = set()
        self._clock = Clock(job.sizes, job.steps)
        losses = Column(no_wrap=True, overflow="ellipsis", max_width=max(1, console.width - BESIDE_BAR - BAR - 1))
        self._bar = Bar(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=min(BAR, console.width - BESIDE_BAR)),
            MofNCompleteColumn(table_column=Column(no_wrap=True)),
            TextColumn("{task.fields[left]}", markup=False),
            *([TextColumn("{task.fields[detail]}", markup=False, table_column=losses)] if verbose else []),
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
        """Show one step."""
        for note in progress.notes:
            self._print(note)
        planned = self._clock.planned(progress.step, progress.steps)
        detail = f"{progress.seconds:.2f} s/step"
        if self._verbose:
            detail = harmless(f"{detail}, {format_losses(progress.loss, progress.terms)}")
        if self._live:
            left = format_time_left(self._clock.left(planned, progress.seconds))
            self._bar.update(self._task, completed=planned, description=f"{progress.size} px", detail=detail, left=left)
        elif planned in self._clock.ends and not self._quiet:
            say(f"{progress.size} px: step {progress.step} of {progress.steps}, {detail}")

    def tell(self, notes: Iterable[str]) -> None:
        """Print the notes that no step has brought."""
        for note in notes:
            if note not in self._printed:
                self._print(note)

    def _print(self, note: str) -> None:
        self._printed.add(note)
        if self._live:
            self._bar.console.print(harmless(note), highlight=False, markup=False, soft_wrap=True)
        elif not self._quiet:
            say(note)


def format_time_left(seconds: float) -> str:
    """Return `0:00:42 left`, or from 100 hours on `5 days left`."""
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours // 24:,} days left" if hours >= 100 else f"{hours}:{rest // 60:02}:{rest % 60:02} left"


def format_losses(loss: float, terms: Mapping[str, float]) -> str:
    """Return `loss 3.21 (content 1.20, style 2.01)`, with the terms of each loss summed over its layers."""
    sums: dict[str, float] = {}
    for name, value in terms.items():
        kind = name.split(" ")[0]
        sums[kind] = sums.get(kind, 0.0) + value
    return f"loss {loss:.3g} ({', '.join(f'{kind} {value:.3g}' for kind, value in sums.items())})"
