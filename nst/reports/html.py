"""Generic parts of HTML pages that need no other file and send no request."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from importlib.resources import files
from io import BytesIO
from string import Template
from typing import NamedTuple

import numpy as np
from PIL import Image

from nst.images import fit, resize
from nst.protocols import Pixels
from nst.reports import curves

LARGEST = 1024  # pixels, the long side of an image on a page; the files themselves are beside the page
QUALITY = 92


class TableCell(NamedTuple):
    """A cell of a table; `kind` is "pass", "fail", "different", "best" or ""."""

    text: str
    kind: str = ""


@dataclass(frozen=True)
class Table:
    """A table: title, head, rows and a note for the reader; `words` marks text instead of numbers."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[TableCell]]
    note: str = ""
    words: bool = False


def document(command: str, title: str, lead: str, main: Sequence[str], footer: str) -> str:
    """Return an HTML page: title, lead and footer as text, `main` as HTML, with the style and the script inside."""
    return Template(_resource("page.html")).substitute(
        title=escape(title),
        command=command,
        lead=escape(lead),
        main="\n".join(part for part in main if part),
        footer=escape(footer),
        css=_resource("page.css"),
        script=_resource("page.js"),
    )


def _resource(name: str) -> str:
    return (files("nst.reports") / name).read_text("utf-8")


def data_uri(pixels: Pixels) -> str:
    """Return an image `(H, W, 3)` as a JPEG data URI, without chroma subsampling, at most `LARGEST` pixels long."""
    height, width = pixels.shape[:2]
    shown = resize(pixels, fit(height, width, min(LARGEST, max(height, width))))
    file = BytesIO()
    image = Image.fromarray((shown * 255).round().astype(np.uint8))
    image.save(file, "JPEG", quality=QUALITY, subsampling=0)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


def messages(title: str, kind: str, items: Iterable[tuple[str, str]]) -> str:
    """Return a section of messages, each with the name it concerns; "" for no messages."""
    rows = "".join(f"<dt>{escape(name)}</dt><dd>{escape(text)}</dd>" for name, text in items)
    return f'<section class="{kind}"><h2>{escape(title)}</h2><dl>{rows}</dl></section>' if rows else ""


def html_table(content: Table) -> str:
    """Return a table as HTML, which scrolls if it is too wide."""
    head = "".join(f'<th scope="col">{escape(word)}</th>' for word in content.head)
    body = "".join(f"<tr>{''.join(map(_cell, enumerate(row)))}</tr>" for row in content.rows)
    kind = ' class="words"' if content.words else ""
    label = escape(content.title, quote=True)
    inside = f"<table{kind}><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
    return f'<div class="wide" tabindex="0" role="region" aria-label="{label}">{inside}</div>'


def _cell(numbered: tuple[int, TableCell]) -> str:
    i, cell = numbered
    if i == 0:
        return f'<th scope="row">{escape(cell.text)}</th>'
    return f'<td class="{cell.kind}">{escape(cell.text)}</td>' if cell.kind else f"<td>{escape(cell.text)}</td>"


def legend(names: Iterable[str]) -> str:
    """Return the legend of a chart: the names in the colors of their curves."""
    rows = (f'<li><span class="line{i % curves.COLORS}"></span>{escape(name)}</li>' for i, name in enumerate(names))
    return f'<ul class="legend">{"".join(rows)}</ul>'
