"""`nst estimate`: what a run would take, without running it."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli import stylize
from nst.cli.recipe_options import recipe_options

if TYPE_CHECKING:
    from nst.estimate import Part
    from nst.job import Job

Output = Annotated[Path | None, typer.Option("-o", "--output", metavar="FILE", help="checked, and not written")]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


@recipe_options
def estimate(
    content: stylize.Content,
    given: dict[str, Any],
    styles: stylize.Styles = None,
    output: Output = None,
    mask: stylize.Masks = None,
    protect: stylize.Protect = None,
    preset: stylize.Preset = None,
    recipe: stylize.RecipeFile = None,
    save_every: stylize.SaveEvery = 0,
    report: stylize.Report = None,
    max_pixels: stylize.MaxPixels = None,
    bit_depth: stylize.BitDepth = "auto",
    metadata: stylize.Metadata = "keep",
    keep_profile: stylize.KeepProfile = False,
    quality: stylize.Quality = 95,
    quiet: stylize.Quiet = False,
    as_json: Json = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.images import WriteOptions

    options = WriteOptions(bit_depth, metadata, keep_profile, quality)
    settings = {"report": report, "save_every": save_every, "quiet": quiet, "options": options}
    place = output or Path(tempfile.gettempdir()) / "nst-estimate.png"
    _, job = stylize.prepared(content, styles, place, given, mask, protect, preset, recipe, max_pixels, **settings)
    sys.stdout.write(_json(job) if as_json else _table(job))
    return 0


def _json(job: Job) -> str:
    from nst.memory import available_memory

    backend, found = job.open(), job.estimate().to_dict()
    where = {"backend": job.recipe.backend, "device": backend.device, "precision": backend.precision}
    return json.dumps({**where, **found, "available": available_memory(), "notes": job.notes()}, indent=2) + "\n"


def _table(job: Job) -> str:
    from nst.cli.listing import table
    from nst.cli.session import duration, expected

    found = job.estimate()
    rows = [("SIZE", "STEPS", "WEIGHTS", "TILES", "TIME", "MEMORY"), *map(_row, found.parts)]
    start = f"{duration(found.start)} to start" if found.start else ""
    total = ", ".join(filter(None, [expected(found) or "time and memory are unknown", start]))
    return "".join([table(rows), *(f"{note}\n" for note in job.notes()), f"in all: {total}\n"])


def _row(part: Part) -> tuple[str, ...]:
    from nst.cli.session import duration

    return (
        f"{part.size} px",
        str(part.steps or "one pass"),
        part.weights,
        f"{part.tile} px" if part.tile else "none",
        "unknown" if part.seconds is None else duration(part.seconds),
        "unknown" if part.memory is None else f"{part.memory / 1e9:.2f} GB",
    )
