"""Compare backends for the page, and embed the report."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from nst.errors import UserError
from nst.orders import Order
from nst.recipe.recipe import Recipe
from nst.reports.folder import PAGE

OWN = ("backend", "weights", "backend_options")
"""Fields that differ between backends, so the shared recipe omits them."""


def comparison_order(
    content: str, styles: Sequence[str], backends: Sequence[str], recipe: Recipe, folder: Path, largest: int
) -> Order:
    """Return the order of a report in `folder`. Raise `UserError` for fewer than two backends."""
    if len(backends) < 2:
        raise UserError(f"a comparison needs two or more backends, not {len(backends)}", "choose two or more backends")
    shared = {name: value for name, value in recipe.to_dict().items() if name not in OWN}
    values = {**shared, "backend": ",".join(backends)}
    return Order(content, styles, str(folder / "report"), values, max_pixels=largest, kind="comparison")


def report_frame(folder: Path) -> str:
    """Return the report in a sandboxed frame, or "" if there is no report."""
    report = folder / "report" / PAGE
    if not report.is_file():
        return ""
    text = escape(report.read_text("utf-8"), quote=True)
    return f'<iframe class="report" title="The comparison" sandbox="allow-scripts" srcdoc="{text}"></iframe>'
