"""Write the outcome of a batch: `report.csv` and the contact sheet `index.html`, in the output folder."""

from __future__ import annotations

import csv
import io
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from importlib.resources import files
from itertools import chain
from pathlib import Path
from string import Template
from typing import Any
from urllib.parse import quote

from nst.batches.rows import BatchRow
from nst.errors import Mistakes, NstError, UserError
from nst.io import atomic, remote
from nst.orders import Done, Outcome

MARK = '<meta name="generator" content="nst batch">'  # in every page of ours
COLUMNS = ("number", "content", "style", "output", "status", "seconds", "message", "hint")
SHOWN = (".png", ".jpg", ".jpeg", ".webp", ".avif")  # what a browser shows
STATUSES = ("finished", "kept", "interrupted", "diverged", "failed")


@dataclass(frozen=True)
class Painted:
    """One picture of a batch: `status` is "finished", "kept", "interrupted", "diverged" or "failed".

    `output` is its name in the folder, `seconds` the time of the run, `report` the data of `nst stylize --report`.
    `message` and `hint` say why the picture is missing, or what had no effect on it; `mistake` marks a user mistake
    (exit code 2).
    """

    number: int
    content: str
    styles: Sequence[Any]
    output: str
    status: str
    seconds: float = 0.0
    message: str = ""
    hint: str = ""
    mistake: bool = False
    report: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def refused(cls, row: BatchRow, error: UserError) -> Painted:
        """Return the row of a picture that was refused."""
        errors = error.errors if isinstance(error, Mistakes) else (error,)
        hints = "; ".join(dict.fromkeys(error.hint for error in errors if error.hint))
        return cls(row.number, row.content, row.styles, row.output, "failed", 0.0, error.message, hints, True)

    @classmethod
    def from_outcome(cls, row: BatchRow, outcome: Outcome) -> Painted:
        """Return the row of a picture, from the executor's outcome."""
        about = row.number, row.content, row.styles, row.output
        if isinstance(outcome, Done):
            seconds, warnings = outcome.report.get("seconds", 0.0), outcome.report.get("warnings", ())
            return cls(*about, outcome.stopped, seconds, "; ".join(warnings), report=outcome.report)
        return cls(*about, "failed", 0.0, outcome.message, outcome.hint, outcome.mistake)

    @property
    def style(self) -> str:
        """Return the styles as one text."""
        return "; ".join(style if isinstance(style, str) else ", ".join(style) for style in self.styles)


def write(folder: str, painted: Sequence[Painted], planned: int) -> None:
    """Write both reports into the folder, a path or a URL. Raises `NstError`."""
    ordered = sorted(painted, key=lambda picture: picture.number)
    _put(remote.join(folder, "report.csv"), table(ordered).encode("utf-8", "replace"))
    _put(remote.join(folder, "index.html"), page(ordered, planned).encode("utf-8", "replace"))


def _put(place: str, data: bytes) -> None:
    if remote.is_url(place):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "file"
            file.write_bytes(data)
            remote.write(place, file)
        return
    try:
        atomic.replace(Path(place), lambda file: file.write(data))
    except OSError as error:
        raise NstError(f"cannot write '{place}': {error.strerror}", "the pictures are written") from error


def table(painted: Sequence[Painted]) -> str:
    """Return the report as CSV."""
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([getattr(picture, name) for name in COLUMNS] for picture in painted)
    return file.getvalue()


def page(painted: Sequence[Painted], planned: int) -> str:
    """Return the contact sheet as HTML: failures first, then every picture, by its path beside the page."""
    failed = [picture for picture in painted if picture.status == "failed"]
    main = chain(_failures(failed), map(_figure, (picture for picture in painted if picture.status != "failed")))
    template = Template(files("nst.batches").joinpath("page.html").read_text("utf-8"))
    return template.substitute(mark=MARK, lead=escape(format_summary(painted, planned)), main="\n".join(main))


def format_summary(painted: Sequence[Painted], planned: int) -> str:
    """Return a summary such as `950 of 1000 pictures: 900 finished, 50 kept, 50 failed`."""
    statuses = [picture.status for picture in painted]
    counts = [f"{statuses.count(status)} {status}" for status in STATUSES if status in statuses]
    finished = len(statuses) - statuses.count("failed")
    return f"{finished} of {planned} pictures" + (f": {', '.join(counts)}" if counts else "")


def _failures(failed: Sequence[Painted]) -> Iterator[str]:
    if failed:
        yield "<details open><summary>What went wrong</summary><dl>"
        for picture in failed:
            hint = f" <span>({escape(picture.hint)})</span>" if picture.hint else ""
            yield f"<dt>{picture.number}: {escape(picture.output)}</dt><dd>{escape(picture.message)}{hint}</dd>"
        yield "</dl></details>"


def _figure(picture: Painted) -> str:
    place, name = quote(picture.output.replace("\\", "/"), errors="replace"), escape(picture.output)
    words = f"{escape(Path(picture.content).name)} like {escape(picture.style)}"
    image = f'<img src="{place}" alt="{words}" loading="lazy">' if picture.output.lower().endswith(SHOWN) else name
    seconds = f"{picture.seconds:.1f} s" if picture.seconds else ""
    facts = ", ".join(filter(None, [picture.status, seconds, escape(picture.message)]))
    return f'<figure><a href="{place}">{image}</a><figcaption>{words}<br>{facts}</figcaption></figure>'
