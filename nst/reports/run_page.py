"""Show the report of a run as one HTML page that needs no other file."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from importlib.metadata import version

from nst.reports import curves, run
from nst.reports.html import Table, TableCell, document, html_table, legend, messages
from nst.reports.run import Curves, RunReport, counted

LOGARITHMIC = "The loss at each step, on a logarithmic scale. A dotted line marks the first step of a size."


def render(report: RunReport) -> str:
    """Return the page as HTML: curves, facts, notes."""
    rows = [[TableCell(name), TableCell(words)] for name, words in run.facts(report).items()]
    main = [
        *_charts(report),
        f"<h2>Facts</h2>{html_table(Table('Facts', ['', ''], rows, words=True))}",
        messages("Notes", "notes", [("", note) for note in (*report.get("warnings", ()), *report.get("notes", ()))]),
    ]
    return document("nst report", "How the run went", _lead(report), main, f"Made by nst {version('nst')}.")


def _lead(report: RunReport) -> str:
    losses = run.losses(report)["loss"]
    if not losses:
        return "This backend paints in one pass, so there are no steps to show."
    lowest = min(losses)
    steps = f"{counted(len(losses), 'step')} in {report['seconds']:.1f} s"
    return f"{steps}. The loss was {losses[0]:.4g} at the first step, and {lowest:.4g} at its lowest."


def _charts(report: RunReport) -> Iterator[str]:
    charts: dict[str, Curves] = {"The loss and its terms": run.losses(report), "Each term": run.terms(report)}
    for title, losses in charts.items():
        if chart := curves.svg(losses, title, run.sizes(report)):
            yield f'<section><h2>{escape(title)}</h2>{chart}{legend(losses)}<p class="soft">{LOGARITHMIC}</p></section>'
