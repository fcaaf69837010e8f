"""`nst estimate`: what a run would take, without running it."""

from __future__ import annotations

import inspect
import json
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.stylize import stylize

if TYPE_CHECKING:
    from nst.estimate.model import LevelEstimate
    from nst.job.job import Job

Output = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="where the picture would go: checked, not written")
]
Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def estimate(*, output: Path | None = None, as_json: bool = False, **arguments: Any) -> int:
    """Whatever `nst stylize` takes; see `nst.cli.commands`."""
    place = output or Path(tempfile.gettempdir()) / "nst-estimate.png"
    return int(stylize(output=place, **arguments, act=partial(_show, as_json)))


def _signature() -> inspect.Signature:
    """Return the arguments of a `nst stylize` call, whose output may be missing."""
    own = {
        "output": inspect.Parameter("output", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=Output),
        "as_json": inspect.Parameter("as_json", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=Json),
    }
    taken = {**inspect.signature(stylize).parameters, **own}
    return inspect.Signature([each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in taken.values()])


estimate.__signature__ = _signature()  # type: ignore[attr-defined]
estimate.__annotations__ = stylize.__annotations__ | {"output": Output, "as_json": Json}


def _show(as_json: bool, job: Job) -> int:
    sys.stdout.write(_json(job) if as_json else _table(job))
    return 0


def _json(job: Job) -> str:
    from nst.estimate.memory import available_memory

    backend, found = job.open(), job.estimate().to_dict()
    where = {"backend": job.recipe.backend, "device": backend.device, "precision": backend.precision}
    return json.dumps({**where, **found, "available": available_memory(), "notes": job.notes()}, indent=2) + "\n"


def _table(job: Job) -> str:
    from nst.cli.listing import table
    from nst.estimate.text import format_total

    found = job.estimate()
    rows = [("SIZE", "STEPS", "WEIGHTS", "TILES", "TIME", "MEMORY"), *map(_row, found.parts)]
    return "".join([table(rows), *(f"{note}\n" for note in job.notes()), f"in all: {format_total(found)}\n"])


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
