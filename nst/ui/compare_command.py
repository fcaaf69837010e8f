"""Run `nst compare` for the page, and embed its report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nst.errors import UserError
from nst.io import toml
from nst.recipe.recipe import Recipe
from nst.reports.folder import PAGE
from nst.ui.commands import CommandRun

OWN = ("backend", "weights", "backend_options")
"""Fields that differ between backends, so the shared recipe omits them."""


def start_command(
    content: str, styles: Sequence[str], backends: Sequence[str], recipe: Recipe, folder: Path, largest: int
) -> CommandRun:
    """Return the command that writes its report to `folder`. Raise `UserError` for fewer than two backends."""
    if len(backends) < 2:
        raise UserError(f"a comparison needs two or more backends, not {len(backends)}", "choose two or more backends")
    shared = {name: value for name, value in recipe.departures().items() if name not in OWN}
    file = folder / "recipe.toml"
    file.write_text(toml.dumps(shared), "utf-8")
    options = ["--backends", ",".join(backends), "--recipe", str(file), "--max-pixels", str(largest), "--quiet"]
    return CommandRun(["compare", content, *styles, *options, "-o", str(folder / "report")])


def report_frame(folder: Path) -> str:
    """Return the report in a sandboxed frame, or "" if there is no report."""
    report = folder / "report" / PAGE
    if not report.is_file():
        return ""
    text = escape(report.read_text("utf-8"), quote=True)
    return f'<iframe class="report" title="The comparison" sandbox="allow-scripts" srcdoc="{text}"></iframe>'
