"""Format the report as tables, for the page and the terminal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from nst.compare.metrics import STYLE_LAYERS
from nst.compare.parity import REFERENCE, TOLERANCES
from nst.reports.html import Table, TableCell

ComparisonReport = Mapping[str, Any]
CHECKS = {
    "features": "features",
    "terms": "loss terms",
    "gradient": "gradient, 95 %",
    "peak": "gradient, largest",
    "adam": "20 Adam steps",
}


JUDGED = (
    "All pictures are measured by one network ({weights}), at {size} px. Style: relative distance of Gram matrices, as "
    "a mean and by layer. Content: relative distance of relu4_2. Both are 0 for equal pictures and about 1 for "
    "unrelated pictures. SSIM: structural similarity of the luminance to the content; 1 is equal. ΔE: mean CIEDE2000 "
    "(1 is just noticeable), to the content pixel by pixel, and between the palettes of the picture and the style. "
    "Speckle: mean squared difference of neighbors. Bold: best."
)
CHECKED = (
    "The largest error over three probe images (content, noise, half-way) and their layers. Features: relative L2 "
    "error. Loss terms: relative error. Gradient: the 95th percentile of the errors and the largest, relative to the "
    "largest value. Adam: largest difference of a pixel, 0..1. Different networks neither pass nor fail. Finished "
    "pictures are compared by the evaluator only, since L-BFGS amplifies tiny differences."
)
SPENT = (
    "Picture: from the first step to the last. Start: importing the framework and loading the weights, unless an "
    "earlier picture has done so. Peak memory: of the device if it has its own memory, else of the process; it "
    "includes the probe images."
)

Measure = tuple[str, Callable[[Any], float], str, int]
"""The name of a column, its value in the scores, its format, and whether more (1) or less (-1) is better."""

MEASURES: Sequence[Measure] = (
    ("style", lambda scores: scores["style_mean"], ".4f", -1),
    ("content", lambda scores: scores["content"], ".3f", -1),
    ("SSIM", lambda scores: scores["ssim"], ".3f", 1),
    ("ΔE to content", lambda scores: scores["color"], ".1f", 0),
    ("ΔE of palettes", lambda scores: scores["palette"], ".1f", -1),
    ("speckle", lambda scores: scores["total_variation"], ".4f", 0),
    *((layer, lambda scores, layer=layer: scores["style"][layer], ".4f", -1) for layer in STYLE_LAYERS),
)
BRIEF = 6  # measures in a terminal


def all_of(report: ComparisonReport, brief: bool = False) -> list[Table]:
    """Return the tables that have rows: metrics, checks, cost; `brief` makes them narrow."""
    tables = (judged(report, MEASURES[:BRIEF] if brief else MEASURES), checks(report), cost(report, brief))
    return [table for table in tables if table.rows]


def judged(report: ComparisonReport, measures: Sequence[Measure] = MEASURES) -> Table:
    """Return the table of metrics, with the best value of each column marked."""
    columns = [column for column in report["columns"] if column["judgement"]]
    measured = [_measured(measure, [column["judgement"] for column in columns]) for measure in measures]
    rows = [[TableCell(column["name"]), *cells] for column, *cells in zip(columns, *measured, strict=True)]
    note = JUDGED.format(**report["judge"]) if rows else ""
    return Table("Evaluation", ["picture", *(name for name, *_ in measures)], rows, note)


def _measured(measure: Measure, scores: Sequence[Any]) -> list[TableCell]:
    """Return one column of the table of metrics."""
    _, value, form, sign = measure
    values = [value(score) for score in scores]
    best = max((sign * number for number in values), default=0.0)
    marks = ["best" if sign and len(values) > 1 and sign * number == best else "" for number in values]
    return [TableCell(format(number, form), mark) for number, mark in zip(values, marks, strict=True)]


def checks(report: ComparisonReport) -> Table:
    """Return the table of the worst error of each check, per backend and baseline."""
    rows = []
    for line in report["summary"]:
        against = "NumPy, float64" if line["against"] == REFERENCE else line["against"]
        rows.append(
            [TableCell(line["name"]), TableCell(against), *(_checked(line["checks"][check]) for check in TOLERANCES)]
        )
    head = ["backend", "against", *(f"{CHECKS[check]} ≤ {value:.1g}" for check, value in TOLERANCES.items())]
    return Table("Parity", head, rows, CHECKED, words=True)


def _checked(worst: Mapping[str, Any] | None) -> TableCell:
    if worst is None:
        return TableCell("–")
    if worst["parity"] == "different":
        return TableCell(f"{_number(worst['error'])}, other network", "different")
    where = f" at {worst['at']} {worst['item']}".rstrip() if worst["parity"] == "fail" else ""
    return TableCell(f"{_number(worst['error'])} {worst['parity']}{where}", worst["parity"])


def _number(value: float | None) -> str:
    return "no common shape" if value is None or value != value else f"{value:.1e}" if value else "0"


def cost(report: ComparisonReport, brief: bool = False) -> Table:
    """Return the table of seconds, memory, devices, weights and versions; `brief` omits the versions."""
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
    """Return the table of all checks."""
    head = ["backend", "against", "check", "image or step", "layer or term", "error", "tolerance", "largest", "parity"]
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
    return [*words, *numbers, TableCell(row["reason"] or row["parity"], row["parity"])]


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
    """Yield the departures of an experiment from its paper, and the notes of each run."""
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
    finished = sum(column["status"] == "finished" for column in columns)
    done = "painted" if "panels" in report else "compared"
    count = len(columns)
    yield f"{finished} of {count} finished." if finished < count else f"{count} pictures {done}."
    compared = [row for row in rows if row["parity"] != "different"]
    total = len(compared)
    if failed := [row for row in compared if row["parity"] == "fail"]:
        names = ", ".join(dict.fromkeys(row["name"] for row in failed))
        yield f"The backends do not compute the same network: {len(failed)} of {total} checks failed ({names})."
    elif compared:
        yield f"{_agreeing(compared)} the same network: {total} of {total} checks passed."
    yield from dict.fromkeys(f"{row['name']} and {row['against']}: {row['reason']}." for row in rows if row["reason"])


def _agreeing(checks: Sequence[Mapping[str, Any]]) -> str:
    """Return the subject and the verb of the sentence about passed checks."""
    names = {name for row in checks for name in (row["name"], row["against"])}
    if REFERENCE in names and len(names) == 2:
        return "The backend and the NumPy reference compute"
    return "Both backends compute" if len(names - {REFERENCE}) == 2 else "All backends compute"


def footer(report: ComparisonReport) -> str:
    """Return the last line of the page."""
    return f"Made by nst {report['nst']}. Every number is in report.json, beside this page."
