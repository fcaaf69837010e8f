"""A run's report as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape

from nst import __version__
from nst.reports import curves, run
from nst.reports.html import Table, TableCell, document, legend, messages, table
from nst.reports.run import Curves, RunReport

LOGARITHMIC = "By step, on a logarithmic scale; a line marks where a size begins."


def render(report: RunReport) -> str:
    """Return the page as HTML: curves, facts, notes."""
    rows = [[TableCell(name), TableCell(words)] for name, words in run.facts(report).items()]
    main = [
        *_charts(report),
        f"<h2>Facts</h2>{table(Table('Facts', ['', ''], rows, words=True))}",
        messages("Notes", "notes", [("", note) for note in report.get("notes", ())]),
    ]
    return document("nst report", "How the run went", _lead(report), main, f"Made by nst {__version__}.")


def _lead(report: RunReport) -> str:
    losses = run.losses(report)["loss"]
    if not losses:
        return "Painted in one pass: there are no steps to show."
    lowest = min(losses)
    return (
        f"{len(losses)} steps in {report['seconds']:.1f} s; loss {losses[0]:.4g} at first, {lowest:.4g} at its lowest."
    )


def _charts(report: RunReport) -> Iterator[str]:
    shown: dict[str, Curves] = {"The loss and what it is made of": run.losses(report), "Each term": run.terms(report)}
    for title, drawn in shown.items():
        if found := curves.svg(drawn, title, run.sizes(report)):
            yield f'<section><h2>{escape(title)}</h2>{found}{legend(drawn)}<p class="soft">{LOGARITHMIC}</p></section>'
