"""What a picture will take, asked of `nst estimate` and said in words."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from nst.estimate.model import Estimate
from nst.estimate.text import in_all
from nst.io import toml
from nst.recipe.recipe import Recipe
from nst.ui.commands import Errand


def ask(content: str, styles: Sequence[str], recipe: Recipe, folder: Path, largest: int) -> Errand:
    """The errand that finds it out: the backend is opened, and an evaluation or two are timed."""
    file = folder / "recipe.toml"
    file.write_text(toml.dumps(recipe.departures()), "utf-8")
    how = ["--recipe", str(file), "--max-pixels", str(largest)]
    return Errand(["estimate", content, *styles, *how, "--json"])


def words(told: str) -> str:
    """What it says, in a line: `about 42 s and 1.2 GB, plus 5 s to start, on cpu`."""
    found = json.loads(told)
    return f"{in_all(Estimate.from_dict(found))}, on {found['device']}"
