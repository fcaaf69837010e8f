"""`nst estimate`: say what a run would take, without running it."""

from __future__ import annotations

import json
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from nst.cli.options import Json
from nst.cli.stylize import StylizeOptions

if TYPE_CHECKING:
    from nst.estimate.model import LevelEstimate
    from nst.job.job import Job


@dataclass
class EstimateCommand(StylizeOptions):
    """`nst estimate`, which takes everything that `nst stylize` takes."""

    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", metavar="FILE", help="the picture that would be written: checked, not written"),
    ] = None
    as_json: Json = False

    def run(self) -> int:
        """Print the estimate."""
        _, job = self.prepare(self.output or Path(tempfile.gettempdir()) / "nst-estimate.png")
        sys.stdout.write(_json(job) if self.as_json else _table(job))
        return 0


def _json(job: Job) -> str:
    from nst.estimate.memory import available_memory

    backend, estimate = job.open(), job.estimate()
    engine = {"backend": job.recipe.backend, "device": backend.device, "precision": backend.precision}
    facts = {**engine, **estimate.to_dict(), "available": available_memory(), "notes": job.notes()}
    return json.dumps(facts, indent=2) + "\n"


def _table(job: Job) -> str:
    from nst.cli.listing import format_table
    from nst.estimate.text import format_total

    estimate = job.estimate()
    rows = [("SIZE", "STEPS", "WEIGHTS", "TILES", "TIME", "MEMORY"), *map(_row, estimate.parts)]
    return "".join([format_table(rows), *(f"{note}\n" for note in job.notes()), f"total: {format_total(estimate)}\n"])


def _row(part: LevelEstimate) -> tuple[str, ...]:
    from nst.estimate.text import duration

    return (
        f"{part.size} px",
        str(part.steps or "one pass"),
        part.weights,
        f"{part.tile} px" if part.tile else "none",
        "unknown" if part.seconds is None else duration(part.seconds),
        "unknown" if part.memory is None else f"{part.memory / 1e9:.2f} GB",
    )
