"""`nst explore`: what the choices do, in pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.compare import Backends, CellPrinter, Vary
from nst.cli.progress import harmless
from nst.cli.recipe_options import recipe_options
from nst.cli.stylize import PRESETS, MaxPixels, RecipeFile

if TYPE_CHECKING:
    from nst.compare.papers import Paper

Experiment = Annotated[str | None, typer.Option("--paper", metavar="NAME", help="a figure of a paper (see --list)")]


@recipe_options
def explore(
    given: dict[str, Any],
    pictures: Annotated[
        list[str] | None,
        typer.Argument(metavar="CONTENT STYLE…", help="the picture to paint, and what to paint it like"),
    ] = None,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="where the pictures go")] = Path(
        "nst-explore"
    ),
    vary: Vary = None,
    paper: Experiment = None,
    list_: Annotated[bool, typer.Option("--list", help="list the papers' figures, and do nothing else")] = False,
    backends: Backends = "",
    fresh: Annotated[bool, typer.Option("--fresh", help="paint finished pictures again")] = False,
    preset: Annotated[
        str | None,
        typer.Option("--preset", metavar="NAME", help=f"{PRESETS} (a paper begins from its own)"),
    ] = None,
    recipe: RecipeFile = None,
    max_pixels: MaxPixels = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session, host
    from nst.compare import papers
    from nst.compare.exploration import Exploration, ExplorationRequest

    if list_:
        return show_papers([papers.find(name) for name in papers.names()])
    found = papers.find(paper) if paper else None
    made, mistakes = Session(output).recipe(given, preset or (found.preset if found else None), recipe)
    what: dict[str, Any] = {"backends": backends, "vary": vary or (), "paper": found, "chosen": set(given)}
    request = ExplorationRequest(
        pictures or [], output, made, mistakes=mistakes, fresh=fresh, max_pixels=max_pixels, **what
    )
    exploration = Exploration(request, host())
    with CellPrinter(quiet) as teller:
        report = exploration.run(teller.say, teller.watch)
    if not quiet:
        show(report, output)
    return int(report["exit_code"])


def show_papers(found: list[Paper]) -> int:
    """Print the experiments on stdout, a line or two each."""
    for paper in found:
        typer.echo(f"{paper.name:<15} {paper.title} ({paper.source})")
    return 0


def show(report: dict[str, Any], output: Path) -> None:
    """Print the errors and the path of the pictures on stdout."""
    from nst.compare import tables

    for who, what in tables.failures(report):
        typer.echo(harmless(f"{who}: {what}"))
    typer.echo(f"{tables.lead(report)} {output / 'sheet.png'}, {output / 'index.html'}")
