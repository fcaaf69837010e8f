"""`nst batch`: paint a folder or a list of pictures."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.options import FileFormat, Fresh, MaxPixels, Preset, Quiet, RecipeFile
from nst.cli.recipe_options import RecipeOptions

if TYPE_CHECKING:
    from nst.batches.batch import Series
    from nst.batches.report import Painted
    from nst.batches.rows import BatchRow
    from nst.orders import Event

Content = Annotated[
    list[str] | None,
    typer.Option(
        "--content",
        metavar="PATTERN",
        help="the pictures to paint: a folder, a pattern in quotes, or a file; may be repeated",
    ),
]
Styles = Annotated[
    list[str] | None,
    typer.Option(
        "--style",
        metavar="PATTERN",
        help="the styles to paint each picture like: a folder, a pattern in quotes, or a file; may be repeated",
    ),
]
Pairs = Annotated[
    Path | None,
    typer.Option(
        "--pairs",
        metavar="FILE",
        help="a CSV or TOML file that lists contents and styles; replaces --content and --style",
    ),
]
Output = Annotated[
    str, typer.Option("-o", "--output", metavar="FOLDER", help="the folder of the pictures: a path or a URL")
]
Executor = Annotated[
    str,
    typer.Option(
        "--executor", metavar="NAME", help="where the pictures are painted: local (this machine), ray (a cluster), …"
    ),
]
ExecutorOptions = Annotated[
    list[str] | None,
    typer.Option(
        "--executor-option", metavar="NAME=VALUE…", help="options of the executor (see nst plugins show NAME)"
    ),
]
Jobs = Annotated[
    str | None, typer.Option("--jobs", metavar="N", help="pictures at once; short for --executor-option jobs=N")
]
NumCpus = Annotated[
    str | None, typer.Option("--num-cpus", metavar="N", help="cores for each worker, with --executor ray")
]
NumGpus = Annotated[
    str | None, typer.Option("--num-gpus", metavar="N", help="GPUs for each worker, with --executor ray")
]
Address = Annotated[
    str | None,
    typer.Option(
        "--address", metavar="ADDRESS", help="the cluster, with --executor ray: auto, HOST:PORT or ray://HOST:PORT"
    ),
]


@dataclass
class BatchCommand(FileFormat, RecipeOptions):
    """`nst batch`."""

    output: Output
    content: Content = None
    style: Styles = None
    pairs: Pairs = None
    executor: Executor = "local"
    executor_option: ExecutorOptions = None
    jobs: Jobs = None
    num_cpus: NumCpus = None
    num_gpus: NumGpus = None
    address: Address = None
    fresh: Fresh = False
    preset: Preset = None
    recipe: RecipeFile = None
    max_pixels: MaxPixels = None
    quiet: Quiet = False

    def run(self) -> int:
        """Paint every picture. Raises every mistake of the call together."""
        from nst.batches.batch import BatchRequest, Series, rows_of
        from nst.cli.session import Session, host
        from nst.errors import Findings, raise_all
        from nst.recipe.recipe import Recipe

        findings = Findings()
        nothing: tuple[dict[str, Any], list[BatchRow]] = ({}, [])
        read = findings.attempt(lambda: rows_of(self.content or (), self.style or (), self.pairs))
        shared, rows = read or nothing
        values = {**shared, **self.chosen}
        recipe, mistakes = Session(Path(self.output)).recipe(values, self.preset, self.recipe, Recipe())
        executor_options = findings.attempt(self._executor_options) or {}
        errors = [*findings.errors, *mistakes]
        if not rows:
            raise_all(errors)
        request = BatchRequest(
            rows,
            self.output,
            recipe,
            self.executor,
            executor_options,
            self.write_options,
            fresh=self.fresh,
            max_pixels=self.max_pixels,
            chosen=sorted(values),
            mistakes=errors,
        )
        return _run(Series(request, host()), self.quiet, self.output)

    def _executor_options(self) -> dict[str, Any]:
        """Return the executor's options; `--jobs N` replaces `--executor-option jobs=N`. Raises `UserError`."""
        own = {"jobs": self.jobs, "num_cpus": self.num_cpus, "num_gpus": self.num_gpus, "address": self.address}
        return settings(self.executor_option or ()) | {name: text for name, text in own.items() if text is not None}


def settings(texts: Iterable[str]) -> dict[str, Any]:
    """Return `NAME=VALUE` texts as a table. Raises `UserError`."""
    from nst.errors import UserError
    from nst.recipe import fields

    try:
        return dict(fields.settings(list(texts)))
    except UserError as error:
        raise UserError(f"--executor-option: {error.message}", error.hint) from None


def _run(series: Series, quiet: bool, output: str) -> int:
    from nst.batches.report import format_summary
    from nst.cli.progress import say

    with BatchPrinter(len(series.rows), quiet) as printer:
        try:
            for painted in series.run(printer.watch):
                printer.show(painted)
        except KeyboardInterrupt:
            line = f"{format_summary(series.outcomes, len(series.rows))}; run the same command again to paint the rest"
            raise KeyboardInterrupt(line) from None
    if not quiet:
        say(f"{format_summary(series.outcomes, len(series.rows))}; see {output.rstrip('/')}/index.html")
    return 1 if any(painted.status == "failed" for painted in series.outcomes) else 0


class BatchPrinter:
    """Shows a batch on stderr: a live line on a terminal, and a line for each finished picture."""

    def __init__(self, total: int, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._status = self._console.status("starting")
        self._total, self._shown, self._painted = total, 0, 0
        self._started = time.monotonic()

    def __enter__(self) -> BatchPrinter:
        if self._console.is_interactive and not self._quiet:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def watch(self, row: BatchRow, event: Event) -> None:
        """Show a step of one picture."""
        from rich.markup import escape

        from nst.orders import Step

        if isinstance(event, Step):
            self._status.update(escape(f"{row.output}: step {event.step} of {event.steps}{self._left()}"))

    def show(self, painted: Painted) -> None:
        """Print a finished picture, and the time that the others will take."""
        from nst.cli.progress import say

        self._shown += 1
        self._painted += painted.status != "kept" and not painted.mistake
        message = f"{painted.message} ({painted.hint})" if painted.hint else painted.message
        seconds = f" in {painted.seconds:.1f} s" if painted.seconds else ""
        if message or not self._quiet:
            line = f"[{self._shown}/{self._total}] {painted.output}: {painted.status}{seconds}"
            say(f"{line}{': ' if message else ''}{message}{self._left()}")

    def _left(self) -> str:
        from nst.cli.progress import format_time_left

        if not self._painted or self._shown == self._total:
            return ""
        seconds = (time.monotonic() - self._started) / self._painted
        return f", {format_time_left(seconds * (self._total - self._shown))}"
