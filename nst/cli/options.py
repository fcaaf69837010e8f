"""Options that several commands share, so that each is worded once."""
# No `from __future__ import annotations`: Typer would look up these annotations in the modules of the commands.

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from nst.images import WriteOptions

PRESETS = "default, classic, strokes, portrait, quick, mixed or gatys"

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help=PRESETS)]
RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", metavar="FILE", help="a recipe in TOML; options override it")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="FILE", help="write losses, times and settings to FILE: .json, .html or .png"),
]
Film = Annotated[
    Path | None,
    typer.Option("--timelapse", metavar="FILE", help="film of the steps: .mp4, .gif, .webp or .png"),
]
CheckpointEvery = Annotated[
    float,
    typer.Option(
        "--checkpoint-every", metavar="SECONDS", help="seconds between checkpoints; one is also written after each size"
    ),
]
MaxPixels = Annotated[
    int | None,
    typer.Option("--max-pixels", metavar="N", help="refuse pictures with more pixels (default: 89 million)"),
]
Fresh = Annotated[bool, typer.Option("--fresh", help="paint again the pictures that are up to date")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="show the losses of the steps")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="start a run of more than an hour without a question")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print only errors")]


class Command(ABC):
    """A command that is a dataclass: Typer fills in its fields, then `run` carries it out."""

    @abstractmethod
    def run(self) -> int:
        """Carry out the command and return its exit code."""


@dataclass(kw_only=True)
class FileFormat:
    """How pictures are written. None of it changes what is painted."""

    bit_depth: Annotated[
        str,
        typer.Option(
            "--bit-depth",
            metavar="auto|8|16",
            help="bits per channel; auto is the content's bit depth in PNG and TIFF, and 8 in other formats",
            rich_help_panel="The file",
        ),
    ] = "auto"
    metadata: Annotated[
        str,
        typer.Option(
            "--metadata",
            metavar="keep|strip",
            help="camera, exposure and dates of the content; the GPS location is always removed",
            rich_help_panel="The file",
        ),
    ] = "keep"
    keep_profile: Annotated[
        bool,
        typer.Option(
            "--keep-profile", help="write in the content's color profile, not in sRGB", rich_help_panel="The file"
        ),
    ] = False
    quality: Annotated[
        int,
        typer.Option("--quality", metavar="1-100", help="quality of JPEG, WebP and AVIF", rich_help_panel="The file"),
    ] = 95

    @property
    def write_options(self) -> "WriteOptions":
        """The options of `nst.images.write`."""
        from nst.images import WriteOptions

        return WriteOptions(self.bit_depth, self.metadata, self.keep_profile, self.quality)
