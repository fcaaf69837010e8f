"""`nst explore`: paint every combination of some settings on one sheet."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.compare import Backends, CellPrinter, Vary
from nst.cli.options import PRESETS, Fresh, MaxPixels, Quiet, RecipeFile
from nst.cli.progress import harmless
from nst.cli.recipe_options import RecipeOptions

if TYPE_CHECKING:
    from nst.compare.papers import Paper

Experiment = Annotated[str | None, typer.Option("--paper", metavar="NAME", help="a figure of a paper (see --list)")]


@dataclass
class ExploreCommand(RecipeOptions):
    """`nst explore`."""

    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONTENT STYLE…", help="the picture to paint, and the styles to paint it like"),
    ] = None
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="the folder of the pictures")] = Path(
        "nst-explore"
    )
    vary: Vary = None
    paper: Experiment = None
    list_: Annotated[bool, typer.Option("--list", help="list the papers' figures, and do nothing else")] = False
    backends: Backends = ""
    fresh: Fresh = False
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help=f"{PRESETS} (default with --paper: the paper's own)"),
    ] = None
    recipe: RecipeFile = None
    max_pixels: MaxPixels = None
    quiet: Quiet = False

    def run(self) -> int:
        """Paint every combination and write the sheet, or list the figures."""
        from nst.cli.session import Session, host
        from nst.compare import papers
        from nst.compare.exploration import Exploration, ExplorationRequest

        if self.list_:
            return show_papers([papers.find(name) for name in papers.names()])
        paper = papers.find(self.paper) if self.paper else None
        preset = self.preset or (paper.preset if paper else None)
        recipe, mistakes = Session(self.output).recipe(self.chosen, preset, self.recipe)
        request = ExplorationRequest(
            self.pictures or [],
            self.output,
            recipe,
            backends=self.backends,
            vary=self.vary or (),
            paper=paper,
            fresh=self.fresh,
            max_pixels=self.max_pixels,
            mistakes=mistakes,
            chosen=set(self.chosen),
        )
        exploration = Exploration(request, host())
        with CellPrinter(self.quiet) as printer:
            report = exploration.run(printer.say, printer.watch)
        if not self.quiet:
            show(report, self.output)
        return int(report["exit_code"])


def show_papers(figures: list[Paper]) -> int:
    """Print the papers' figures on stdout."""
    for paper in figures:
        typer.echo(f"{paper.name:<15} {paper.title} ({paper.source})")
    return 0


def show(report: dict[str, Any], output: Path) -> None:
    """Print the failures and the paths of the sheet and the page on stdout."""
    from nst.compare import tables

    for name, failure in tables.failures(report):
        typer.echo(harmless(f"{name}: {failure}"))
    typer.echo(f"{tables.lead(report)} Saved {output / 'sheet.png'} and {output / 'index.html'}")
