"""What a picture will take, asked of `nst estimate` and said in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from nst import toml
from nst.recipe import Recipe
from nst.ui.errand import Errand


def ask(content: str, styles: Sequence[str], recipe: Recipe, folder: Path, largest: int) -> Errand:
    """The errand that finds it out: the backend is opened, and an evaluation or two are timed."""
    file = folder / "recipe.toml"
    file.write_text(toml.dumps(recipe.departures()), "utf-8")
    how = ["--recipe", str(file), "--max-pixels", str(largest)]
    return Errand(["estimate", content, *styles, *how, "--json"])


def words(told: str) -> str:
    """What it says, in a line: `about 0:00:42 and 1.2 GB, on cpu; 0:00:05 to start`."""
    found = json.loads(told)
    seconds, memory = found["seconds"], found["memory"]
    parts = [f"about {timedelta(seconds=round(seconds))}"] if seconds is not None else []
    parts += [f"{'at least ' if found['at_least'] else ''}{memory / 1e9:.1f} GB"] if memory is not None else []
    start = f"; {timedelta(seconds=round(found['start']))} to start" if found["start"] >= 1 else ""
    return f"{' and '.join(parts) or 'time and memory are unknown'}, on {found['device']}{start}"
