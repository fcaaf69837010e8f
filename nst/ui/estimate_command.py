"""Run `nst estimate` for the page, and format its result."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from nst.estimate.model import Estimate
from nst.estimate.text import format_total
from nst.io import toml
from nst.recipe.recipe import Recipe
from nst.ui.commands import CommandRun


def start_command(content: str, styles: Sequence[str], recipe: Recipe, folder: Path, largest: int) -> CommandRun:
    """Return the command that opens the backend and times one or two evaluations."""
    file = folder / "recipe.toml"
    file.write_text(toml.dumps(recipe.departures()), "utf-8")
    options = ["--recipe", str(file), "--max-pixels", str(largest)]
    return CommandRun(["estimate", content, *styles, *options, "--json"])


def summary(output: str) -> str:
    """Return the estimate in one line: `about 42 s and 1.2 GB, plus 5 s to start, on cpu`."""
    fields = json.loads(output)
    return f"{format_total(Estimate.from_dict(fields))}, on {fields['device']}"
