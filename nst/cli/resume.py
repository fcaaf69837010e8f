"""`nst resume`: continue an interrupted run from its checkpoint."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from nst.cli.options import CheckpointEvery, Film, MaxPixels, Quiet, Report, Verbose, Yes

Content = Annotated[str | None, typer.Option("--content", metavar="FILE", help="the new place of the picture to paint")]
Styles = Annotated[
    list[str] | None,
    typer.Option("--style", metavar="FILE", help="the new place of a style; repeat it for each style, in order"),
]
Masks = Annotated[
    list[str] | None,
    typer.Option("--mask", metavar="FILE", help="the new place of a mask; repeat it for each mask, in order"),
]
Protect = Annotated[str | None, typer.Option("--protect", metavar="FILE", help="the new place of the --protect mask")]


def resume(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="the file that --checkpoint named")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="the picture to write (default: the output of the interrupted run)"
        ),
    ] = None,
    content: Content = None,
    style: Styles = None,
    mask: Masks = None,
    protect: Protect = None,
    checkpoint_every: CheckpointEvery = 60,
    timelapse: Film = None,
    report: Report = None,
    max_pixels: MaxPixels = None,
    yes: Yes = False,
    quiet: Quiet = False,
    verbose: Verbose = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session
    from nst.persistence import recorded_job

    named = {"content": content, "style": style, "mask": mask, "protect": protect}
    run, record, located = recorded_job.open_checkpoint(checkpoint, named)
    session = Session(
        output or _recorded_output(Path(run.text("output")), checkpoint),
        report=report,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        timelapse=timelapse,
        yes=yes,
        quiet=quiet,
        verbose=verbose,
        options=record.options,
    )
    job = session.job(located.sources, located.recipe, [], max_pixels)
    session.check_size(job, max_pixels)
    return session.run(job, recorded_job.snapshot(run, job), record)


def _recorded_output(output: Path, checkpoint: Path) -> Path:
    """Return the output recorded in a checkpoint.

    Raises `UserError` if it lies outside the folders of the checkpoint and of the call, or is a picture that nst did
    not make.
    """
    from nst.errors import Findings, UserError
    from nst.persistence import provenance

    hint = f"to write it there, add -o {shlex.quote(str(output))}"
    place = Path(os.path.realpath(output))
    if not any(place.is_relative_to(os.path.realpath(folder)) for folder in (Path(), checkpoint.parent)):
        raise UserError(
            f"'{checkpoint}' would write '{output}', which is neither in its folder nor in the current one", hint
        )
    if place.exists() and Findings().attempt(lambda: provenance.read(place)) is None:
        raise UserError(f"'{checkpoint}' would write over '{output}', which nst did not make", hint)
    return output
