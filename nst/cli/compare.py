"""`nst compare`: compare backends, recipes or finished pictures, side by side and in numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.options import Fresh, MaxPixels, Preset, Quiet, RecipeFile
from nst.cli.progress import harmless
from nst.cli.recipe_options import RecipeOptions

if TYPE_CHECKING:
    from nst.reports.html import Table

WIDE = 160  # columns that every table fits into

Backends = Annotated[
    str, typer.Option("--backends", metavar="NAME,…", help="backends to compare, NAME or NAME@WEIGHTS")
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="FIELD=V,…",
        help="an option and its values, such as size=256,512; may be repeated. Write ; between values with commas",
    ),
]
Against = Annotated[
    tuple[str, str] | None,
    typer.Option("--against", metavar="CONTENT STYLE", help="measure finished pictures against this content and style"),
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", help="runs at the same time; each is then slower")]
JudgeFile = Annotated[
    str,
    typer.Option(
        "--judge",
        metavar="FILE",
        help="network that measures the pictures: a weight file in nst's format (default: compact)",
    ),
]


@dataclass
class CompareCommand(RecipeOptions):
    """`nst compare`."""

    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE", help="CONTENT STYLE…, or finished pictures")]
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="the folder of the report")] = Path(
        "nst-compare"
    )
    backends: Backends = ""
    vary: Vary = None
    against: Against = None
    jobs: Jobs = 1
    judge: JudgeFile = ""
    fresh: Fresh = False
    preset: Preset = None
    recipe: RecipeFile = None
    max_pixels: MaxPixels = None
    quiet: Quiet = False

    def run(self) -> int:
        """Paint what is missing, measure every picture and write the report."""
        from nst.cli.session import Session, host
        from nst.compare.comparison import Comparison, ComparisonRequest

        recipe, mistakes = Session(self.output).recipe(self.chosen, self.preset, self.recipe)
        request = ComparisonRequest(
            self.pictures,
            self.output,
            recipe,
            backends=self.backends,
            vary=self.vary or (),
            against=self.against,
            jobs=self.jobs,
            judge=self.judge,
            fresh=self.fresh,
            max_pixels=self.max_pixels,
            mistakes=mistakes,
            chosen=set(self.chosen),
        )
        comparison = Comparison(request, host())
        with CellPrinter(self.quiet) as printer:
            report = comparison.run(printer.say, printer.watch)
        if not self.quiet:
            show(report, self.output)
        return int(report["exit_code"])


class CellPrinter:
    """Shows the runs on stderr: a live line on a terminal, elsewhere a line when a run starts."""

    def __init__(self, quiet: bool) -> None:
        from rich.console import Console

        self._console = Console(stderr=True, quiet=quiet, highlight=False)
        self._status = self._console.status("starting")
        self._seen: set[str] = set()

    def __enter__(self) -> CellPrinter:
        if self._console.is_interactive:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._status.stop()

    def say(self, line: str) -> None:
        """Print a line that stays."""
        self._console.print(harmless(line), markup=False, soft_wrap=True)

    def watch(self, stages: Mapping[str, str]) -> None:
        """Show the current stage of each column."""
        from rich.markup import escape

        self._status.update(escape(harmless("; ".join(f"{name}: {stage}" for name, stage in stages.items()) or "…")))
        if not self._console.is_interactive:
            for name in [name for name in stages if name not in self._seen]:
                self.say(f"{name}: started")
        self._seen |= stages.keys()


def show(report: Mapping[str, Any], output: Path) -> None:
    """Print the tables on stdout, and the path of the report."""
    from rich.console import Console

    from nst.compare import tables

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE  # a file or a pipe wraps nothing
    for table in tables.all_of(report, brief=console.width < WIDE):
        console.print(_rich(table))
    for name, failure in tables.failures(report):
        console.print(harmless(f"{name}: {failure}"), markup=False, style="red", soft_wrap=True)
    console.print(tables.lead(report), markup=False, soft_wrap=True)
    console.print(f"Saved {output / 'index.html'}", markup=False, soft_wrap=True)


def _rich(table: Table) -> Any:
    from rich.table import Table as Rich
    from rich.text import Text

    styles = {"pass": "green", "fail": "bold red", "different": "yellow", "best": "bold"}
    rich_table = Rich(title=table.title, title_justify="left", title_style="bold")
    for i, head in enumerate(table.head):
        rich_table.add_column(head, justify="left" if table.words or i == 0 else "right", overflow="fold")
    for row in table.rows:
        rich_table.add_row(*(Text(harmless(cell.text), styles.get(cell.kind, "")) for cell in row))
    return rich_table
