"""Read the report of a run: its curves, the first step of each size, and its facts as text."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from nst.errors import UserError
from nst.recipe.recipe import FIELDS, Recipe, flag, read_fields

RunReport = Mapping[str, Any]
Curves = Mapping[str, Sequence[float]]

NEEDED = {"history", "recipe", "stopped", "seconds", "sizes", "steps"}
ROW = {"step", "size", "loss", "terms"}
LARGEST = 1e300  # so that sums of a few values are finite
MOST = 1000  # terms
LONGEST = 10_000  # characters of a fact
WRITTEN_BY = "choose a file written by nst stylize --report"


def load_report(path: str | Path) -> RunReport:
    """Read a report written by `nst stylize --report`. Raise `UserError` for any other file."""
    try:
        report: RunReport = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}", WRITTEN_BY) from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"'{path}' is not JSON: {error}", WRITTEN_BY) from None
    if not _is_report(report):
        raise UserError(f"'{path}' is not the report of a run", WRITTEN_BY)
    return report


def _is_report(value: Any) -> bool:
    """Return whether a value has every field of a report, and each field has its type."""
    if not (isinstance(value, dict) and value.keys() >= NEEDED):
        return False
    valid = all(is_valid(value[name]) for name, is_valid in _VALID.items() if name in value)
    return valid and len(value["sizes"]) == len(value["steps"])


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and not abs(value) > LARGEST


def _is_count(value: Any) -> bool:
    return type(value) is int and 0 <= value <= LARGEST


def _is_row(row: Any) -> bool:
    if not (isinstance(row, dict) and row.keys() >= ROW):
        return False
    numbers = _is_count(row["step"]) and _is_count(row["size"]) and _is_number(row["loss"])
    return numbers and _named(_is_number)(row["terms"]) and len(row["terms"]) <= MOST


def _is_recipe(value: Any) -> bool:
    return isinstance(value, dict) and not read_fields({name: value[name] for name in value if name in FIELDS})[1]


def _listed(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_valid, value))


def _named(is_valid: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(is_valid, value.values()))


_VALID: Mapping[str, Callable[[Any], bool]] = {
    "history": _listed(_is_row),
    "recipe": _is_recipe,
    "seconds": _is_number,
    "sizes": _listed(_is_count),
    "steps": _listed(_is_count),
    "notes": _listed(_is_text),
    "warnings": _listed(_is_text),
    "versions": _named(_is_text),
    "peak_memory": lambda value: value is None or _is_number(value),
    **dict.fromkeys(("stopped", "backend", "device", "precision", "weights"), _is_text),
}


def counted(number: int, noun: str) -> str:
    """Return a number with its noun: `1 step`, `2 steps`."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def losses(report: RunReport) -> dict[str, list[float]]:
    """Return the loss at each step, and its terms summed over their layers."""
    kinds = {name: name.partition(" ")[0] for row in report["history"] for name in row["terms"]}
    curves = {"loss": [row["loss"] for row in report["history"]]}
    for kind in dict.fromkeys(kinds.values()):
        own = [name for name in kinds if kinds[name] == kind]
        curves[kind] = [sum(row["terms"].get(name, 0.0) for name in own) for row in report["history"]]
    return curves


def terms(report: RunReport) -> dict[str, list[float]]:
    """Return each term at each step."""
    names = dict.fromkeys(name for row in report["history"] for name in row["terms"])
    return {name: [row["terms"].get(name, 0.0) for row in report["history"]] for name in names}


def sizes(report: RunReport) -> dict[int, str]:
    """Return the position of the first step of each size, from 1, with the label of the size."""
    marks, position = {}, 1
    for size, rows in groupby(row["size"] for row in report["history"]):
        marks[position] = f"{size} px"
        position += len([*rows])
    return marks


def facts(report: RunReport) -> dict[str, str]:
    """Return the facts of the run: backend, device, time, result."""
    planned = zip(report["sizes"], report["steps"], strict=True)
    plan = ", ".join(f"{size} px: {counted(steps, 'step') if steps else 'one pass'}" for size, steps in planned)
    memory = report.get("peak_memory")
    facts_by_name = {
        "result": str(report["stopped"]),
        "backend": str(report.get("backend", "")),
        "computed on": f"{report.get('device', '')}, {report.get('precision', '')}".strip(", "),
        "weights": str(report.get("weights", "")),
        "sizes": plan,
        "steps taken": str(len(report["history"])) if report["history"] else "",
        "time": f"{report['seconds']:.1f} s",
        "peak memory": f"{memory / 1e9:.2f} GB" if memory else "",
        "versions": ", ".join(f"{name} {number}" for name, number in report.get("versions", {}).items()),
        "chosen": ", ".join(chosen(report["recipe"])),
    }
    return {name: words[:LONGEST] for name, words in facts_by_name.items() if words}


def chosen(recipe: Mapping[str, Any]) -> list[str]:
    """Return the recipe fields that are not the default, as on the command line: `--steps 40`."""
    defaults = json.loads(json.dumps(Recipe().to_dict()))
    return [
        f"{flag(name)} {_typed(value)}" for name, value in recipe.items() if name in FIELDS and value != defaults[name]
    ]


def _typed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_typed(part)}" for name, part in value.items())
    if isinstance(value, list):
        return ",".join(map(_typed, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
