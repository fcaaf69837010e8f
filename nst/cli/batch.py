"""`nst batch`: a folder of pictures, painted like one style or like many."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options
from nst.cli.stylize import BitDepth, KeepProfile, MaxPixels, Metadata, Preset, Quality, RecipeFile

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
    list[str] | None, typer.Option("--style", metavar="PATTERN", help="what to paint each of them like, likewise")
]
Pairs = Annotated[
    Path | None,
    typer.Option("--pairs", metavar="FILE", help="a CSV or TOML file that lists the pairs, in place of both"),
]
Output = Annotated[str, typer.Option("-o", "--output", metavar="FOLDER", help="where the pictures go: a path or a URL")]
Executor = Annotated[
    str, typer.Option("--executor", metavar="NAME", help="what paints them: local (this machine), ray (a cluster), …")
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


@recipe_options
def batch(
    output: Output,
    given: dict[str, Any],
    content: Content = None,
    style: Styles = None,
    pairs: Pairs = None,
    executor: Executor = "local",
    executor_option: ExecutorOptions = None,
    jobs: Jobs = None,
    num_cpus: NumCpus = None,
    num_gpus: NumGpus = None,
    address: Address = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="paint finished pictures again")] = False,
    preset: Preset = None,
    recipe: RecipeFile = None,
    max_pixels: MaxPixels = None,
    bit_depth: BitDepth = "auto",
    metadata: Metadata = "keep",
    keep_profile: KeepProfile = False,
    quality: Quality = 95,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.batches.batch import BatchRequest, Series, rows_of
    from nst.cli.session import Session, host
    from nst.errors import Findings, raise_all
    from nst.images import WriteOptions
    from nst.recipe.recipe import Recipe

    findings = Findings()
    nothing: tuple[dict[str, Any], list[BatchRow]] = ({}, [])
    shared, rows = findings.attempt(lambda: rows_of(content or (), style or (), pairs)) or nothing
    session = Session(Path(output))
    made, mistakes = session.recipe({**shared, **given}, preset, recipe, Recipe())
    short = {"jobs": jobs, "num_cpus": num_cpus, "num_gpus": num_gpus, "address": address}
    own: dict[str, Any] = findings.attempt(lambda: settings(executor_option or ())) or {}
    how = own | {name: value for name, value in short.items() if value is not None}
    options = WriteOptions(bit_depth, metadata, keep_profile, quality)
    wanted: dict[str, Any] = {"fresh": fresh, "max_pixels": max_pixels, "chosen": sorted({*shared, *given})}
    wrong = [*findings.errors, *mistakes]
    if not rows:
        raise_all(wrong)
    series = Series(BatchRequest(rows, output, made, executor, how, options, mistakes=wrong, **wanted), host())
    return _run(series, quiet, output)


def settings(given: Iterable[str]) -> dict[str, Any]:
    """`NAME=VALUE` texts as a table. Raises `UserError`."""
    from nst.errors import UserError
    from nst.recipe import fields

    try:
        return dict(fields.settings(list(given)))
    except UserError as error:
        raise UserError(f"--executor-option: {error.message}", error.hint) from None


def _run(series: Series, quiet: bool, output: str) -> int:
    from nst.batches.report import summary
    from nst.cli.progress import say

    with BatchPrinter(len(series.rows), quiet) as teller:
        try:
            for painted in series.run(teller.watch):
                teller.show(painted)
        except KeyboardInterrupt:
            raise KeyboardInterrupt(f"{summary(series.told, len(series.rows))}; run it again for the rest") from None
    if not quiet:
        say(f"{summary(series.told, len(series.rows))}; see {output.rstrip('/')}/index.html")
    return 1 if any(each.status == "failed" for each in series.told) else 0


class BatchPrinter:
    """Says on stderr how a series goes: a live line on a terminal, and a line for each picture."""

    def __init__(self, total: int, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, highlight=False)
        self._quiet = quiet
        self._status = self._console.status("starting")
        self._total, self._told, self._painted = total, 0, 0
        self._began = time.monotonic()

    def __enter__(self) -> BatchPrinter:
        if self._console.is_interactive and not self._quiet:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def watch(self, row: BatchRow, event: Event) -> None:
        """How one picture goes."""
        from rich.markup import escape

        from nst.orders import Step

        if isinstance(event, Step):
            self._status.update(escape(f"{row.output}: step {event.step} of {event.steps}{self._left()}"))

    def show(self, painted: Painted) -> None:
        """One picture, and how long the others will take."""
        from nst.cli.progress import say

        self._told += 1
        self._painted += painted.status != "kept" and not painted.mistake
        words = f"{painted.message} ({painted.hint})" if painted.hint else painted.message
        took = f" in {painted.seconds:.1f} s" if painted.seconds else ""
        if painted.status == "failed" or not self._quiet:
            line = (
                f"[{self._told}/{self._total}] {painted.output}: {painted.status}{took}{': ' if words else ''}{words}"
            )
            say(line + self._left())

    def _left(self) -> str:
        from nst.cli.progress import time_left

        if not self._painted or self._told == self._total:
            return ""
        each = (time.monotonic() - self._began) / self._painted
        return f", {time_left(each * (self._total - self._told))}"
