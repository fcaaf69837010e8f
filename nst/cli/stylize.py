"""`nst stylize`: paint one picture."""
# No `from __future__ import annotations`: Typer would look up these annotations in `nst.cli.estimate` too.

from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst.cli.options import (
    CheckpointEvery,
    FileFormat,
    Film,
    MaxPixels,
    Preset,
    Quiet,
    RecipeFile,
    Report,
    Verbose,
    Yes,
)
from nst.cli.recipe_options import RecipeOptions

if TYPE_CHECKING:
    from nst.cli.session import Session
    from nst.job.job import Job


@dataclass(kw_only=True)
class StylizeOptions(FileFormat, RecipeOptions):
    """The arguments and options of `nst stylize` and `nst estimate`, without the output."""

    content: Annotated[str, typer.Argument(metavar="CONTENT", help="the picture to paint")]
    styles: Annotated[
        list[str] | None,
        typer.Argument(metavar="STYLE", help="the pictures to paint it like; a folder counts as one style"),
    ] = None
    mask: Annotated[
        list[str] | None,
        typer.Option(
            "--mask",
            metavar="MASK:STYLE[,…]",
            help="use these styles where the mask is white; may be repeated. Without a STYLE for the rest, the rest "
            'stays a photograph. For names with colons or commas, write a JSON list: ["MASK", "STYLE"]',
        ),
    ] = None
    protect: Annotated[
        str | None, typer.Option("--protect", metavar="MASK", help="keep the photograph where the mask is white")
    ] = None
    preset: Preset = None
    recipe: RecipeFile = None
    save_every: Annotated[
        int,
        typer.Option("--save-every", metavar="N", help="also save every Nth step, numbered; 0 saves only the result"),
    ] = 0
    checkpoint: Annotated[
        Path | None,
        typer.Option("--checkpoint", metavar="FILE", help="write checkpoints to FILE, for nst resume FILE"),
    ] = None
    checkpoint_every: CheckpointEvery = 60
    timelapse: Film = None
    report: Report = None
    max_pixels: MaxPixels = None
    yes: Yes = False
    quiet: Quiet = False
    verbose: Verbose = False

    def prepare(self, output: Path) -> "tuple[Session, Job]":
        """Return the session that writes to `output`, and its job. Raises every mistake of the call together."""
        from nst.cli.session import Session
        from nst.errors import Findings
        from nst.job.inputs import Sources, parse_mask

        session = Session(
            output,
            report=self.report,
            save_every=self.save_every,
            checkpoint=self.checkpoint,
            checkpoint_every=self.checkpoint_every,
            timelapse=self.timelapse,
            yes=self.yes,
            quiet=self.quiet,
            verbose=self.verbose,
            options=self.write_options,
        )
        recipe, mistakes = session.recipe(self.chosen, self.preset, self.recipe)
        findings = Findings()
        masks = [pair for text in self.mask or () if (pair := findings.attempt(partial(parse_mask, text)))]
        sources = Sources(self.content, self.styles or [], masks, self.protect)
        return session, session.job(sources, recipe, [*mistakes, *findings.errors], self.max_pixels)


@dataclass
class StylizeCommand(StylizeOptions):
    """`nst stylize`."""

    output: Annotated[
        Path,
        typer.Option("-o", "--output", metavar="FILE", help="the picture to write: PNG, JPEG, WebP, AVIF or TIFF"),
    ]

    def run(self) -> int:
        """Paint the picture."""
        session, job = self.prepare(self.output)
        return session.run(job)
