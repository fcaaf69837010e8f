"""Several backends on the same pair: `nst compare`, and its page inside ours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nst.compare.study import PAGE
from nst.errors import UserError
from nst.io import toml
from nst.recipe.recipe import Recipe
from nst.ui.commands import Errand

OWN = ("backend", "weights", "backend_options")
"""What is each backend's own, and left out of the recipe that they share."""


def compare(
    content: str, styles: Sequence[str], backends: Sequence[str], recipe: Recipe, folder: Path, largest: int
) -> Errand:
    """The errand that leaves its page in `folder`. Raises `UserError` for fewer than two backends."""
    if len(backends) < 2:
        raise UserError("there is nothing to compare", "choose two or more backends")
    shared = {name: value for name, value in recipe.departures().items() if name not in OWN}
    file = folder / "recipe.toml"
    file.write_text(toml.dumps(shared), "utf-8")
    how = ["--backends", ",".join(backends), "--recipe", str(file), "--max-pixels", str(largest), "--quiet"]
    return Errand(["compare", content, *styles, *how, "-o", str(folder / "report")])


def page(folder: Path) -> str:
    """The report in a frame of its own, where nothing of it can reach out; "" where there is none."""
    report = folder / "report" / PAGE
    if not report.is_file():
        return ""
    text = escape(report.read_text("utf-8"), quote=True)
    return f'<iframe class="report" title="The comparison" sandbox="allow-scripts" srcdoc="{text}"></iframe>'
