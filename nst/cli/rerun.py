"""`nst rerun`: make a picture again, from the record of its run stored in it."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst.cli.options import MaxPixels, Quiet, Report, Verbose, Yes
from nst.cli.recipe_options import RecipeOptions

if TYPE_CHECKING:
    from nst.job.job import Job
    from nst.persistence.provenance import Record


@dataclass
class RerunCommand(RecipeOptions):
    """`nst rerun`."""

    picture: Annotated[Path, typer.Argument(metavar="PICTURE", help="a picture that nst has made")]
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="the picture to write (default: NAME-again, in PICTURE's folder)"
        ),
    ] = None
    content: Annotated[str | None, typer.Option("--content", metavar="FILE", help="another picture to paint")] = None
    style: Annotated[
        list[str] | None,
        typer.Option("--style", metavar="FILE", help="another style; repeat it for each style, in order"),
    ] = None
    mask: Annotated[
        list[str] | None, typer.Option("--mask", metavar="FILE", help="another mask; repeat it for each mask, in order")
    ] = None
    protect: Annotated[
        str | None,
        typer.Option("--protect", metavar="FILE", help="another mask of the parts that stay a photograph"),
    ] = None
    report: Report = None
    max_pixels: MaxPixels = None
    yes: Yes = False
    quiet: Quiet = False
    verbose: Verbose = False

    def run(self) -> int:
        """Find the pictures and run their recipe again. Raises every mistake of the call together."""
        from nst.cli.session import Session, say
        from nst.errors import Findings, UserError, raise_all
        from nst.persistence import input_files, provenance

        record, chosen = provenance.read(self.picture), self.chosen
        target = self.output or self.picture.with_stem(f"{self.picture.stem}-again")
        session = Session(
            target,
            report=self.report,
            yes=self.yes,
            quiet=self.quiet,
            verbose=self.verbose,
            options=record.options,
        )
        recipe, mistakes = session.recipe(chosen, start=record.recipe)
        folders = list(dict.fromkeys([Path(), self.picture.parent, target.parent]))
        named = {"content": self.content, "style": self.style, "mask": self.mask, "protect": self.protect}
        search = partial(
            input_files.locate, record.inputs, recipe, folders, named=named, exact=False, skipped=chosen.keys()
        )
        findings = Findings()
        findings.add(*mistakes)
        located = findings.attempt(search)
        if located is None:
            raise_all(findings.errors)
        for note in located.notes:
            say(note)
        try:
            job = session.job(located.sources, located.recipe, mistakes, self.max_pixels)
        except UserError:
            _name_missing_plugins(self.picture, record)
            raise
        if "weights" not in chosen:
            _check_data(job)
        session.check_size(job, self.max_pixels)
        return session.run(job, record=record)


def _name_missing_plugins(picture: Path, record: Record) -> None:
    """Say which distributions made a picture and are not installed."""
    from nst.cli.progress import say
    from nst.persistence import provenance

    for name, number in provenance.missing(record).items():
        install = f"if you trust it: pip install {name}=={number}"
        say(f"{picture} was made with {name} {number}, which is not installed; {install}")


def _check_data(job: Job) -> None:
    """Raise `UserError` for weights by a path stored in the picture, unless the file holds only numbers.

    A file in another format may be a program: a SavedModel is one, and can write files.
    """
    from nst.errors import UserError
    from nst.weights import selection

    own = {"auto", *(weights.name for weights in job.spec.weights)}
    for name in job.recipe.weights:
        if name not in own and not isinstance(selection.choose_weights(job.spec, name).source, selection.NeutralFile):
            hint = f"if you trust the file, add --weights {shlex.quote(name)}"
            raise UserError(f"the picture names '{name}' as weights, which {job.spec.name} would run", hint)
