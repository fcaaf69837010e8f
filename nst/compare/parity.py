"""Whether two backends compute the same, number by number.

Judged by absolute and relative error, never by a cosine, which a wrong scale leaves at 1. Two networks that are not
the same are shown with their differences and not judged.
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
GRADIENT = 1e-3  # largest error, relative to the largest gradient
ADAM = 2 / 255  # largest difference of a pixel after 20 steps
NOTHING = 1e-6
"""A term below this share of the whole loss is held against that share: at the content, the content's is rounding."""

TOLERANCES = {"features": FEATURES, "terms": TERMS, "gradient": GRADIENT, "adam": ADAM}
REFERENCE = "reference"
"""The baseline every VGG has: its own features as `nst.vgg.reference` computes them, in float64."""


@dataclass(frozen=True)
class ParityRow:
    """One number of one backend held against a baseline's.

    `check` is a key of `TOLERANCES`; `at` the pinned image, or the step; `item` the layer or term. `absolute` is the
    largest difference, `error` what the tolerance is for; both NaN where shapes differ. `verdict` is "different" for
    two that should not agree, and `reason` then says why.
    """

    name: str
    against: str
    check: str
    at: str
    item: str
    absolute: float
    error: float
    tolerance: float
    verdict: Literal["pass", "fail", "different"]
    reason: str = ""


@dataclass(frozen=True)
class CellNumbers:
    """What a worker found about one backend: its network, and values by check and `at/item`."""

    name: str
    identity: Mapping[str, str]
    values: Mapping[str, Mapping[str, Any]]


def read(name: str, folder: Path, facts: Mapping[str, Any]) -> CellNumbers:
    """Read the numbers that a worker has saved in its folder; missing ones stay empty."""
    values = {file: _arrays(folder / f"{file}.npz") for file in ("features", REFERENCE, "gradient", "adam")}
    values["terms"] = {
        f"{at}/{term}": value for at, terms in facts.get("terms", {}).items() for term, value in terms.items()
    }
    return CellNumbers(name, facts.get("identity", {}), values)


def _arrays(file: Path) -> dict[str, Any]:
    try:
        with np.load(file) as arrays:
            return dict(arrays)
    except (OSError, ValueError, BadZipFile):  # not there: the worker did not get so far
        return {}


def rows(probed: Sequence[CellNumbers]) -> list[ParityRow]:
    """Each backend against the reference, and each against the first of those that have most to show."""
    able = [each for each in probed if each.values["features"]]
    baseline = max(able, key=lambda each: sum(map(bool, each.values.values())), default=None)
    found = [row for each in able for row in _against_reference(each)]
    return found + [row for each in able if baseline and each is not baseline for row in _against(baseline, each)]


def _against_reference(probed: CellNumbers) -> Iterator[ParityRow]:
    precision = probed.identity["precision"]
    reason = "" if precision in EXACT else f"computed in {precision}"
    yield from _rows(probed, REFERENCE, "features", probed.values[REFERENCE], reason)


def _against(baseline: CellNumbers, other: CellNumbers) -> Iterator[ParityRow]:
    reason = differences(baseline.identity, other.identity)
    for check in TOLERANCES:
        yield from _rows(other, baseline.name, check, baseline.values[check], reason)


def _rows(probed: CellNumbers, against: str, check: str, wanted: Mapping[str, Any], reason: str) -> Iterator[ParityRow]:
    totals = _totals(wanted) if check == "terms" else {}
    for key, target in wanted.items():
        if key in probed.values[check]:
            at, _, item = key.partition("/")
            absolute, error = _errors(check, probed.values[check][key], target, totals.get(at, 0.0))
            tolerance = TOLERANCES[check]
            verdict: Any = "different" if reason else "pass" if error <= tolerance else "fail"  # NaN fails
            yield ParityRow(probed.name, against, check, at, item, absolute, error, tolerance, verdict, reason)


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
    size = np.linalg.norm if check == "features" else _largest
    return absolute, float(size(difference) / max(float(size(np.asarray(target, np.float64))), np.finfo(float).tiny))


def _largest(values: Any) -> float:
    return float(np.abs(values).max(initial=0.0))


def worst(found: Sequence[ParityRow]) -> ParityRow | None:
    """Return the row with the largest error relative to its tolerance; None for no rows. NaN is the largest."""
    return max(found, key=lambda row: math.inf if math.isnan(row.error) else row.error / row.tolerance, default=None)


def load_facts(folder: Path) -> dict[str, Any]:
    """Read a worker's facts; empty if it saved none."""
    try:
        facts: dict[str, Any] = json.loads((folder / "facts.json").read_text("utf-8"))
        return facts
    except (OSError, ValueError):
        return {}
