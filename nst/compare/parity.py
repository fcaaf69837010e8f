"""Check whether two backends compute the same numbers.

The measures are absolute and relative errors. A cosine is no measure, since a wrong scale leaves it at 1. Different
networks are listed with their differences, and their errors neither pass nor fail.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal
from zipfile import BadZipFile

import numpy as np

from nst.compare.network_identity import EXACT, differences

FEATURES = 1e-4  # relative L2 error of a layer
TERMS = 1e-3  # relative error of a weighted loss term
GRADIENT = 1e-4  # 95th percentile of the errors, relative to the largest gradient
PEAK = 0.2  # largest error, relative to the largest gradient
PERCENTILE = 95
"""Two pixels of a pool that are nearly equal send the gradient to one or the other: a few positions of correct backends
differ by up to 7e-2 of the largest gradient, and all others by less than 1e-6."""
ADAM = 2 / 255  # largest difference of a pixel after 20 steps
NOTHING = 1e-6
"""The error of a term is relative to at least this share of the total loss: at the content, its loss is rounding."""

TOLERANCES = {"features": FEATURES, "terms": TERMS, "gradient": GRADIENT, "peak": PEAK, "adam": ADAM}
SOURCES = {"peak": "gradient"}
"""The values of a check that looks at those of another check."""

REFERENCE = "reference"
"""The baseline of every VGG: its features as `nst.vgg.reference` computes them, in float64."""


@dataclass(frozen=True)
class ParityRow:
    """One check of a backend against a baseline.

    `check` is a key of `TOLERANCES`; `at` is the probe image or the step; `item` is the layer or term. `absolute` is
    the largest difference, and `error` is compared with `tolerance`; both are NaN if the shapes differ. `parity` is
    "different" for networks that should not agree, for the given `reason`. For gradients that differ, `item` is the box
    of the differences.
    """

    name: str
    against: str
    check: str
    at: str
    item: str
    absolute: float
    error: float
    tolerance: float
    parity: Literal["pass", "fail", "different"]
    reason: str = ""


@dataclass(frozen=True)
class CellNumbers:
    """The results of one cell: the identity of its network, and values by check and `at/item`."""

    name: str
    identity: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]


def read(name: str, folder: Path, facts: Mapping[str, Any]) -> CellNumbers:
    """Read the numbers in a cell's folder; missing numbers stay empty."""
    values = {file: _arrays(folder / f"{file}.npz") for file in ("features", REFERENCE, "gradient", "adam")}
    values["terms"] = {
        f"{at}/{term}": value for at, terms in facts.get("terms", {}).items() for term, value in terms.items()
    }
    return CellNumbers(name, facts.get("identity", {}), values)


def _arrays(file: Path) -> dict[str, Any]:
    try:
        with np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, BadZipFile):  # the cell ended before
        return {}


def rows(probed: Sequence[CellNumbers]) -> list[ParityRow]:
    """Check each cell against the reference, and against the first of the cells with the most numbers."""
    checked = [cell for cell in probed if cell.values["features"]]
    baseline = max(checked, key=lambda cell: sum(map(bool, cell.values.values())), default=None)
    reference = [row for cell in checked for row in _against_reference(cell)]
    others = [cell for cell in checked if cell is not baseline]
    return reference + [row for cell in others if baseline for row in _against(baseline, cell)]


def _against_reference(probed: CellNumbers) -> Iterator[ParityRow]:
    precision = probed.identity["precision"]
    reason = "" if precision in EXACT else f"computed in {precision}"
    yield from _rows(probed, REFERENCE, "features", probed.values[REFERENCE], reason)


def _against(baseline: CellNumbers, other: CellNumbers) -> Iterator[ParityRow]:
    reason = differences(baseline.identity, other.identity)
    for check in TOLERANCES:
        yield from _rows(other, baseline.name, check, baseline.values[SOURCES.get(check, check)], reason)


def _rows(
    probed: CellNumbers, against: str, check: str, targets: Mapping[str, Any], reason: str
) -> Iterator[ParityRow]:
    totals, values = _totals(targets) if check == "terms" else {}, probed.values[SOURCES.get(check, check)]
    for key, target in targets.items():
        if key in values:
            at, _, item = key.partition("/")
            absolute, error = _errors(check, values[key], target, totals.get(at, 0.0))
            tolerance = TOLERANCES[check]
            parity: Any = "different" if reason else "pass" if error <= tolerance else "fail"  # NaN fails
            item = item or (box(values[key], target) if check in ("gradient", "peak") else "")
            yield ParityRow(probed.name, against, check, at, item, absolute, error, tolerance, parity, reason)


def _totals(terms: Mapping[str, float]) -> dict[str, float]:
    """Return the total loss at each image."""
    totals: dict[str, float] = {}
    for key, value in terms.items():
        at = key.partition("/")[0]
        totals[at] = totals.get(at, 0.0) + abs(value)
    return totals


def _errors(check: str, value: Any, target: Any, total: float) -> tuple[float, float]:
    """Return the largest difference, and the error in the unit of `check`."""
    if np.shape(value) != np.shape(target):
        return math.nan, math.nan
    difference = np.subtract(value, target, dtype=np.float64)
    absolute = float(np.abs(difference).max(initial=0.0))
    if check == "adam":
        return absolute, absolute
    if check == "terms":
        return absolute, absolute / max(abs(target), NOTHING * total, np.finfo(float).tiny)
    exact = np.asarray(target, np.float64)
    if check == "features":
        return absolute, float(np.linalg.norm(difference)) / max(float(np.linalg.norm(exact)), np.finfo(float).tiny)
    error = absolute if check == "peak" else float(np.percentile(np.abs(difference), PERCENTILE))
    return absolute, error / max(float(np.abs(exact).max(initial=0.0)), np.finfo(float).tiny)


def box(value: Any, target: Any) -> str:
    """Return the rows and columns within which two gradients `(H, W, 3)` differ, or "" if they do not."""
    if np.shape(value) != np.shape(target):
        return ""
    difference = np.abs(np.subtract(value, target, dtype=np.float64)).max(axis=-1)
    rows, columns = np.nonzero(difference > GRADIENT * np.abs(target).max(initial=0.0))
    return f"rows {rows.min()}–{rows.max()}, columns {columns.min()}–{columns.max()}" if len(rows) else ""


def worst(rows: Sequence[ParityRow]) -> ParityRow | None:
    """Return the row with the largest error relative to its tolerance; None for no rows. NaN is the largest."""
    return max(rows, key=lambda row: math.inf if math.isnan(row.error) else row.error / row.tolerance, default=None)


def load_facts(folder: Path) -> dict[str, Any]:
    """Read the facts in a cell's folder; empty if they are missing."""
    try:
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
        return facts
    except (OSError, ValueError):
        return {}
