"""The report as one HTML page that needs nothing else: pictures inside, no request to anywhere."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import islice
from pathlib import Path
from typing import Any

from nst.compare import tables
from nst.protocols import Pixels
from nst.reports import curves
from nst.reports.contact_sheet import Captioned
from nst.reports.html import Table, data_uri, document, html_table, legend, messages

CURVES = (
    "By step, on a logarithmic scale; jumps are changes of size. Different recipes or networks share no unit of loss."
)


def render(report: Mapping[str, Any], pictures: Sequence[Captioned]) -> str:
    """Return the page as HTML; `pictures` are the originals, then those of the columns, with captions.

    A report with `panels` has its pictures shown in them.
    """
    originals = len(report["originals"])
    main = [
        _slider(pictures, originals),
        *_galleries(report, pictures, originals),
        messages("What went wrong", "failures", tables.failures(report)),
        *map(_section, tables.all_of(report)),
        _curves(report),
        messages("Notes", "notes", tables.notes(report)),
        _details(report),
    ]
    title = report.get("title") or " × ".join(Path(path).name for path in report["originals"])
    return document(report.get("command", "nst compare"), title, tables.lead(report), main, tables.footer(report))


def _slider(pictures: Sequence[Captioned], originals: int) -> str:
    """Two of the pictures, one over the other; without scripts the gallery below is all there is."""
    available = [(caption, pixels) for caption, pixels in pictures if pixels is not None]
    if len(available) <= originals:
        return ""
    shape, widest = available[0][1].shape, max(pixels.shape[1] for _, pixels in available[originals:])
    left, right = (0, originals) if len(available) == originals + 1 else (originals, originals + 1)
    return (
        f'<section aria-label="Two pictures compared" style="max-width: max(24rem, {2 * widest}px)">'
        f'<div class="choose">{_select("Left", available, left)}{_select("Right", available, right)}</div>'
        f'<div class="slider" style="--cut: 50%; aspect-ratio: {shape[1]} / {shape[0]}">'
        '<img alt=""><img class="over" alt=""><div class="bar"></div>'
        '<input type="range" min="0" max="100" step="0.5" value="50" '
        'aria-label="Edge between the left and the right picture"></div></section>'
    )


def _select(label: str, pictures: Sequence[Captioned], chosen: int) -> str:
    options = "".join(
        f'<option value="{i}"{" selected" if i == chosen else ""}>{escape(caption)}</option>'
        for i, (caption, _) in enumerate(pictures)
    )
    return f"<label>{label}<select>{options}</select></label>"


def _galleries(report: Mapping[str, Any], pictures: Sequence[Captioned], originals: int) -> Iterator[str]:
    """Yield the galleries: one for all pictures, or one for each panel, as wide as the panel."""
    said = [""] * originals + [tables.caption(column) for column in report["columns"]]
    first = pictures[0][1]
    shape = f"{first.shape[1]} / {first.shape[0]}" if first is not None else "1"
    figures = iter([_figure(*picture, words) for picture, words in zip(pictures, said, strict=True)])
    if panels := report.get("panels", ()):
        yield f'<div class="gallery" style="--shape: {shape}">{"".join(islice(figures, originals))}</div>'
    for panel in panels or [{"title": "Pictures", "note": "", "count": len(pictures)}]:
        grid = f'class="gallery grid" style="--across: {panel["across"]}; ' if panels else 'class="gallery" style="'
        note = f"<p>{escape(panel['note'])}</p>" if panel["note"] else ""
        shown = "".join(islice(figures, panel["count"]))
        yield f'<h2>{escape(panel["title"])}</h2>{note}<div {grid}--shape: {shape}">{shown}</div>'


def _figure(caption: str, pixels: Pixels | None, words: str) -> str:
    name = escape(caption, quote=True)
    image = '<div class="absent">no picture</div>' if pixels is None else f'<img src="{data_uri(pixels)}" alt="{name}">'
    return f"<figure>{image}<figcaption><strong>{name}</strong><br>{escape(words)}</figcaption></figure>"


def _section(shown: Table) -> str:
    return (
        f"<section><h2>{escape(shown.title)}</h2>{html_table(shown)}<p class='soft'>{escape(shown.note)}</p></section>"
    )


def _curves(report: Mapping[str, Any]) -> str:
    losses = {column["name"]: [row["loss"] for row in column.get("history", ())] for column in report["columns"]}
    losses = {name: values for name, values in losses.items() if values}
    drawn = curves.svg(losses, "Loss by step, logarithmic")
    if not drawn or ("panels" in report and len(losses) > curves.COLORS):
        return ""
    return f'<section><h2>Loss</h2>{drawn}{legend(losses)}<p class="soft">{CURVES}</p></section>'


def _details(report: Mapping[str, Any]) -> str:
    """Every single check, folded away."""
    rows = tables.every_row(report)
    return f"<details><summary>{escape(rows.title)}</summary>{html_table(rows)}</details>" if rows.rows else ""
