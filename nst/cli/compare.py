"""`nst compare`: backends or recipes side by side, or finished pictures from anywhere, judged the same way."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.progress import harmless
from nst.cli.recipe_options import recipe_options
from nst.cli.stylize import MaxPixels, Preset, RecipeFile

if TYPE_CHECKING:
    from nst.reports.html import Table

WIDE = 160  # columns in which every table fits

Backends = Annotated[
    str, typer.Option("--backends", metavar="NAME,…", help="backends to compare, NAME or NAME@WEIGHTS")
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="FIELD=V,…",
        help="values of an option, with ; between those that contain commas; may be repeated",
    ),
]
Against = Annotated[
    tuple[str, str] | None,
    typer.Option("--against", metavar="CONTENT STYLE", help="judge finished pictures by these"),
]
Jobs = Annotated[int, typer.Option("--jobs", metavar="N", help="how many to run at once; each is then slower")]
JudgeFile = Annotated[
    str,
    typer.Option(
        "--judge", metavar="FILE", help="network to judge by, a weight file in nst's format (default: compact)"
    ),
]


@recipe_options
def compare(
    pictures: Annotated[list[str], typer.Argument(metavar="PICTURE", help="CONTENT STYLE…, or finished pictures")],
    given: dict[str, Any],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="where the report goes")] = Path(
        "nst-compare"
    ),
    backends: Backends = "",
    vary: Vary = None,
    against: Against = None,
    jobs: Jobs = 1,
    judge: JudgeFile = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="make finished pictures again")] = False,
    preset: Preset = None,
    recipe: RecipeFile = None,
    max_pixels: MaxPixels = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session, host
    from nst.compare.comparison import Comparison, ComparisonRequest

    made, mistakes = Session(output).recipe(given, preset, recipe)
    wanted: dict[str, Any] = {"backends": backends, "vary": vary or (), "against": against, "chosen": set(given)}
    how: dict[str, Any] = {"jobs": jobs, "judge": judge, "fresh": fresh, "max_pixels": max_pixels}
    request = ComparisonRequest(pictures, output, made, mistakes=mistakes, **wanted, **how)
    comparison = Comparison(request, host())
    with CellPrinter(quiet) as teller:
        report = comparison.run(teller.say, teller.watch)
    if not quiet:
        show(report, output)
    return int(report["exit_code"])


class CellPrinter:
    """Says on stderr what goes on: a live line on a terminal, elsewhere a line when something begins."""

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
            for name in [each for each in stages if each not in self._seen]:
                self.say(f"{name}: started")
        self._seen |= stages.keys()


def show(report: Mapping[str, Any], output: Path) -> None:
    """Print the tables on stdout, and the path of the report."""
    from rich.console import Console

    from nst.compare import tables

    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = WIDE  # for a file or a pipe, which wraps nothing
    for table in tables.all_of(report, brief=console.width < WIDE):
        console.print(_rich(table))
    for who, what in tables.failures(report):
        console.print(harmless(f"{who}: {what}"), markup=False, style="red", soft_wrap=True)
    console.print(tables.lead(report), markup=False, soft_wrap=True)
    console.print(f"report: {output / 'index.html'}", markup=False, soft_wrap=True)


def _rich(table: Table) -> Any:
    from rich.table import Table as Rich
    from rich.text import Text

    styles = {"pass": "green", "fail": "bold red", "different": "yellow", "best": "bold"}
    made = Rich(title=table.title, title_justify="left", title_style="bold")
    for i, head in enumerate(table.head):
        made.add_column(head, justify="left" if table.words or i == 0 else "right", overflow="fold")
    for row in table.rows:
        made.add_row(*(Text(harmless(cell.text), styles.get(cell.kind, "")) for cell in row))
    return made
