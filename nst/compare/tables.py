"""The report's tables, in words and numbers, for the page and the terminal alike."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nst.compare.metrics import STYLE_LAYERS
from nst.compare.parity import REFERENCE, TOLERANCES
from nst.reports.html import Table, TableCell

ComparisonReport = Mapping[str, Any]
CHECKS = {"features": "features", "terms": "loss terms", "gradient": "gradient", "adam": "20 Adam steps"}


JUDGED = (
    "One network for all ({weights}), at {size} px. Style, as a mean and by layer: relative distance of Gram matrices. "
    "Content: relative distance of relu4_2. Both are 0 for the same, about 1 for an unrelated picture. SSIM: luminance "
    "against the content's, 1 for the same. ΔE: mean CIEDE2000 (1 is just noticeable), to the content pixel by pixel, "
    "and between the palettes of picture and style wherever the colors are. Speckle: mean squared difference of "
    "neighbors. Bold: nearest."
)
CHECKED = (
    "The worst over three images (content, noise, half-way) and every layer looked at. Features: relative L2 error. "
    "Loss terms: relative error. Gradient: largest error, relative to the largest value. Adam: largest difference of "
    "a pixel, 0..1. What differs by intention is not judged; finished pictures are left to the judge, since L-BFGS "
    "makes much of the smallest difference."
)
SPENT = (
    "Picture: from the first step to the last. Start: importing the framework and loading the weights. Peak memory: "
    "the device's own, else the process's, the pinned images included."
)

Measure = tuple[str, Callable[[Any], float], str, int]
"""A column's name, its value in a judgement, its format, and whether more (1) or less (-1) is nearer."""

MEASURES: Sequence[Measure] = (
    ("style", lambda found: found["style_mean"], ".4f", -1),
    ("content", lambda found: found["content"], ".3f", -1),
    ("SSIM", lambda found: found["ssim"], ".3f", 1),
    ("ΔE to content", lambda found: found["color"], ".1f", 0),
    ("ΔE of palettes", lambda found: found["palette"], ".1f", -1),
    ("speckle", lambda found: found["total_variation"], ".4f", 0),
    *((layer, lambda found, layer=layer: found["style"][layer], ".4f", -1) for layer in STYLE_LAYERS),
)
BRIEF = 6  # of them, for a terminal


def all_of(report: ComparisonReport, brief: bool = False) -> list[Table]:
    """Return the tables that have rows: metrics, checks, cost; `brief` makes them narrow."""
    found = (judged(report, MEASURES[:BRIEF] if brief else MEASURES), checks(report), cost(report, brief))
    return [table for table in found if table.rows]


def judged(report: ComparisonReport, measures: Sequence[Measure] = MEASURES) -> Table:
    """Return the table of metrics, with the best value of each column marked."""
    columns = [column for column in report["columns"] if column["judgement"]]
    measured = [_measured(measure, [column["judgement"] for column in columns]) for measure in measures]
    rows = [[TableCell(column["name"]), *cells] for column, *cells in zip(columns, *measured, strict=True)]
    note = JUDGED.format(**report["judge"]) if rows else ""
    return Table("The judge", ["picture", *(name for name, *_ in measures)], rows, note)


def _measured(measure: Measure, found: Sequence[Any]) -> list[TableCell]:
    """One column of the judge's table."""
    _, value, form, nearer = measure
    values = [value(each) for each in found]
    nearest = max((nearer * each for each in values), default=0.0)
    marks = ["best" if nearer and len(values) > 1 and nearer * each == nearest else "" for each in values]
    return [TableCell(format(each, form), mark) for each, mark in zip(values, marks, strict=True)]


def checks(report: ComparisonReport) -> Table:
    """Return the table of the worst error of each check, per backend and baseline."""
    rows = []
    for each in report["summary"]:
        against = "NumPy, float64" if each["against"] == REFERENCE else each["against"]
        rows.append(
            [TableCell(each["name"]), TableCell(against), *(_checked(each["checks"][check]) for check in TOLERANCES)]
        )
    head = ["backend", "against", *(f"{CHECKS[check]} ≤ {value:.1g}" for check, value in TOLERANCES.items())]
    return Table("The same computation?", head, rows, CHECKED, words=True)


def _checked(worst: Mapping[str, Any] | None) -> TableCell:
    if worst is None:
        return TableCell("–")
    if worst["verdict"] == "different":
        return TableCell(f"{_number(worst['error'])}, not judged", "different")
    where = f" at {worst['at']} {worst['item']}".rstrip() if worst["verdict"] == "fail" else ""
    return TableCell(f"{_number(worst['error'])} {worst['verdict']}{where}", worst["verdict"])


def _number(value: float | None) -> str:
    return "no common shape" if value is None or value != value else f"{value:.1e}" if value else "0"


def cost(report: ComparisonReport, brief: bool = False) -> Table:
    """Seconds, memory, and what it ran on; `brief` without versions."""
    rows = [
        [
            TableCell(column["name"]),
            TableCell(f"{column['seconds']:.1f} s"),
            TableCell(f"{column.get('startup', 0):.1f} s"),
            TableCell(f"{column['peak_memory'] / 1e9:.2f} GB" if column.get("peak_memory") else "–"),
            TableCell(f"{column['device']}, {column['precision']}"),
            TableCell(str(column["weights"]).rpartition("/")[2]),
            TableCell(", ".join(f"{name} {version}" for name, version in column["versions"].items())),
        ]
        for column in report["columns"]
        if "seconds" in column
    ]
    head = ["backend", "picture", "start", "peak memory", "computed on", "weights", "versions"]
    shown = len(head) - brief
    return Table("Cost", head[:shown], [row[:shown] for row in rows], SPENT, words=True)


def every_row(report: ComparisonReport) -> Table:
    """Every single check."""
    head = ["backend", "against", "check", "image or step", "layer or term", "error", "tolerance", "largest", "verdict"]
    return Table(f"All {len(report['rows'])} checks", head, list(map(_row, report["rows"])), words=True)


def _row(row: Mapping[str, Any]) -> list[TableCell]:
    words = [
        TableCell(row["name"]),
        TableCell(row["against"]),
        TableCell(CHECKS[row["check"]]),
        TableCell(row["at"]),
        TableCell(row["item"]),
    ]
    numbers = [
        TableCell(_number(row["error"])),
        TableCell(_number(row["tolerance"])),
        TableCell(_number(row["absolute"])),
    ]
    return [*words, *numbers, TableCell(row["reason"] or row["verdict"], row["verdict"])]


def caption(column: Mapping[str, Any]) -> str:
    """Return the text below a picture."""
    if column["status"] != "finished":
        return "; ".join([column["status"], *dict.fromkeys(column["failures"].values())])
    judgement = column["judgement"]
    parts = [f"style {judgement['style_mean']:.3f}, content {judgement['content']:.2f}"] if judgement else []
    return "; ".join([*parts, *([f"{column['seconds']:.1f} s"] if "seconds" in column else [])])


def failures(report: ComparisonReport) -> Iterator[tuple[str, str]]:
    """Yield the errors, by column and stage."""
    for column in report["columns"]:
        for stage, reason in column["failures"].items():
            yield f"{column['name']}, {stage}", reason


def notes(report: ComparisonReport) -> Iterator[tuple[str, str]]:
    """In what an experiment departs from its paper, and what each run had to say for itself."""
    for departure in report.get("departures", ()):
        yield "not as in the paper", departure
    for column in report["columns"]:
        for note in column.get("notes", ()):
            yield column["name"], note


def lead(report: ComparisonReport) -> str:
    """Return the result in one or two sentences."""
    return " ".join(_outcome(report))


def _outcome(report: ComparisonReport) -> Iterator[str]:
    columns, rows = report["columns"], report["rows"]
    made = sum(column["status"] == "finished" for column in columns)
    done = "painted" if "panels" in report else "compared"
    yield f"{made} of {len(columns)} finished." if made < len(columns) else f"{len(columns)} pictures {done}."
    judged = [row for row in rows if row["verdict"] != "different"]
    if failed := [row for row in judged if row["verdict"] == "fail"]:
        names = ", ".join(dict.fromkeys(row["name"] for row in failed))
        yield f"{len(failed)} of {len(judged)} checks of the same network fail: {names}."
    elif judged:
        yield f"All {len(judged)} checks of the same network pass."
    yield from dict.fromkeys(f"{row['name']} and {row['against']}: {row['reason']}." for row in rows if row["reason"])


def footer(report: ComparisonReport) -> str:
    """Where the page comes from."""
    return f"Made by nst {report['nst']}. Every number is in report.json, beside this page."
