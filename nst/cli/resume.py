"""`nst resume`: go on with a run from its checkpoint, as if nothing had happened."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from nst.cli.stylize import CheckpointEvery, Film, MaxPixels, Report

Content = Annotated[str | None, typer.Option("--content", metavar="FILE", help="where the picture to paint is now")]
Styles = Annotated[
    list[str] | None,
    typer.Option("--style", metavar="FILE", help="where a style is now; repeat it for each style, in order"),
]
Masks = Annotated[
    list[str] | None,
    typer.Option("--mask", metavar="FILE", help="where a mask is now; repeat it for each mask, in order"),
]
Protect = Annotated[str | None, typer.Option("--protect", metavar="FILE", help="where the mask of --protect is now")]


def resume(
    checkpoint: Annotated[Path, typer.Argument(metavar="CHECKPOINT", help="the file that --checkpoint named")],
    output: Annotated[
        Path | None,
        typer.Option(
            "-o", "--output", metavar="FILE", help="where the picture goes (default: where the run was to write it)"
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
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session
    from nst.persistence import recorded_job

    named = {"content": content, "style": style, "mask": mask, "protect": protect}
    kept, was, found = recorded_job.open_checkpoint(checkpoint, named)
    session = Session(
        output or _begun(Path(kept.text("output")), checkpoint),
        report=report,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        timelapse=timelapse,
        quiet=quiet,
        options=was.options,
    )
    job = session.job(found.sources, found.recipe, [], max_pixels)
    session.check_size(job, max_pixels)
    return session.run(job, recorded_job.snapshot(kept, job), was)


def _begun(output: Path, checkpoint: Path) -> Path:
    """Return the output that a checkpoint names, if it is in a safe place and replaces no foreign picture.

    Raises `UserError`.
    """
    from nst.errors import Findings, UserError
    from nst.persistence import provenance

    hint = f"if you want it there: -o {shlex.quote(str(output))}"
    place = Path(os.path.realpath(output))
    if not any(place.is_relative_to(os.path.realpath(folder)) for folder in (Path(), checkpoint.parent)):
        raise UserError(
            f"'{checkpoint}' would write '{output}', which is neither in its folder nor in the current one", hint
        )
    if place.exists() and Findings().attempt(lambda: provenance.read(place)) is None:
        raise UserError(f"'{checkpoint}' would write over '{output}', which nst did not make", hint)
    return output
