"""`nst rerun`: make a picture again, from what it says of its making."""

from __future__ import annotations

import shlex
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options
from nst.cli.stylize import MaxPixels, Report

if TYPE_CHECKING:
    from nst.job.job import Job


@recipe_options
def rerun(
    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="a picture that nst has made")],
    given: dict[str, Any],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="where the new one goes (default: NAME-again beside it)"),
    ] = None,
    content: Annotated[str | None, typer.Option("--content", metavar="FILE", help="another picture to paint")] = None,
    style: Annotated[
        list[str] | None, typer.Option("--style", metavar="FILE", help="another style; may be repeated")
    ] = None,
    mask: Annotated[
        list[str] | None, typer.Option("--mask", metavar="FILE", help="another mask; repeat it for each mask, in order")
    ] = None,
    protect: Annotated[
        str | None, typer.Option("--protect", metavar="FILE", help="another mask of what to hold on to")
    ] = None,
    report: Report = None,
    max_pixels: MaxPixels = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session, say
    from nst.errors import Findings, UserError, raise_all
    from nst.persistence import input_files, provenance

    was = provenance.read(picture)
    target = output or picture.with_stem(f"{picture.stem}-again")
    folders = list(dict.fromkeys([Path(), picture.parent, target.parent]))
    session = Session(target, report=report, quiet=quiet, options=was.options)
    made, mistakes = session.recipe(given, start=was.recipe)
    findings = Findings()
    findings.add(*mistakes)
    named = {"content": content, "style": style, "mask": mask, "protect": protect}
    search = partial(input_files.locate, was.inputs, made, folders, named=named, exact=False, skipped=given.keys())
    found = findings.attempt(search)
    if found is None:
        raise_all(findings.errors)
    for note in found.notes:
        say(note)
    try:
        job = session.job(found.sources, found.recipe, mistakes, max_pixels)
    except UserError:
        for name, number in provenance.missing(was).items():
            install = f"if you trust it: pip install {name}=={number}"
            say(f"{picture} was made with {name} {number}, which is not installed; {install}")
        raise
    if "weights" not in given:
        _check_data(job)
    session.check_size(job, max_pixels)
    return session.run(job, was=was)


def _check_data(job: Job) -> None:
    """Raise `UserError` for weights by a path out of the picture, unless they are mere numbers, as the neutral file is.

    Another format may be a program: a SavedModel is one, and can write files.
    """
    from nst.errors import UserError
    from nst.weights import selection

    own = {"auto", *(each.name for each in job.spec.weights)}
    for name in job.recipe.weights:
        if name not in own and not isinstance(selection.choose(job.spec, name).source, selection.NeutralFile):
            hint = f"if you trust it: --weights {shlex.quote(name)}"
            raise UserError(f"the picture names '{name}' as weights, which {job.spec.name} would run", hint)
