"""A run's report as data: its curves, where its sizes begin, and its facts in words."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from nst.errors import UserError
from nst.recipe.recipe import FIELDS, Recipe, flag, read

RunReport = Mapping[str, Any]
Curves = Mapping[str, Sequence[float]]

NEEDED = {"history", "recipe", "stopped", "seconds", "sizes", "steps"}
ROW = {"step", "size", "loss", "terms"}
LARGEST = 1e300  # which is a number still when some are added up
MOST = 1000  # terms
LONGEST = 10_000  # characters of a fact


def load(path: str | Path) -> RunReport:
    """Read the report that `nst stylize --report` wrote. Raises `UserError` for any other file."""
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}", "give what --report wrote") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"'{path}' is not JSON: {error}", "give what --report wrote") from None
    if not _is_report(found):
        raise UserError(f"'{path}' is not the report of a run", "give what nst stylize --report wrote")
    report: RunReport = found
    return report


def _is_report(found: Any) -> bool:
    """Whether it is all that is shown of a report, and of the types it is shown as."""
    if not (isinstance(found, dict) and found.keys() >= NEEDED):
        return False
    whole = all(is_sound(found[name]) for name, is_sound in _SOUND.items() if name in found)
    return whole and len(found["sizes"]) == len(found["steps"])


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
    return isinstance(value, dict) and not read({name: each for name, each in value.items() if name in FIELDS})[1]


def _listed(is_sound: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, list) and all(map(is_sound, value))


def _named(is_sound: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, dict) and all(map(is_sound, value.values()))


_SOUND: Mapping[str, Callable[[Any], bool]] = {
    **{"history": _listed(_is_row), "recipe": _is_recipe, "seconds": _is_number, "stopped": _is_text},
    **{
        "sizes": _listed(_is_count),
        "steps": _listed(_is_count),
        "notes": _listed(_is_text),
        "versions": _named(_is_text),
    },
    "peak_memory": lambda value: value is None or _is_number(value),
    **dict.fromkeys(("backend", "device", "precision", "weights"), _is_text),
}


def losses(report: RunReport) -> dict[str, list[float]]:
    """Return the loss at each step, and its terms summed over their layers."""
    kinds = {name: name.partition(" ")[0] for row in report["history"] for name in row["terms"]}
    found = {"loss": [row["loss"] for row in report["history"]]}
    for kind in dict.fromkeys(kinds.values()):
        own = [name for name in kinds if kinds[name] == kind]
        found[kind] = [sum(row["terms"].get(name, 0.0) for name in own) for row in report["history"]]
    return found


def terms(report: RunReport) -> dict[str, list[float]]:
    """Each term at each step."""
    names = dict.fromkeys(name for row in report["history"] for name in row["terms"])
    return {name: [row["terms"].get(name, 0.0) for row in report["history"]] for name in names}


def sizes(report: RunReport) -> dict[int, str]:
    """Return the position of each size's first step, from 1, and its label."""
    marks, position = {}, 1
    for size, rows in groupby(row["size"] for row in report["history"]):
        marks[position] = f"{size} px"
        position += len([*rows])
    return marks


def facts(report: RunReport) -> dict[str, str]:
    """Return the facts of the run: backend, device, time, result."""
    planned = zip(report["sizes"], report["steps"], strict=True)
    plan = ", ".join(f"{size} px: {f'{steps} steps' if steps else 'one pass'}" for size, steps in planned)
    memory = report.get("peak_memory")
    found = {
        "ended": str(report["stopped"]),
        "backend": str(report.get("backend", "")),
        "computed on": f"{report.get('device', '')}, {report.get('precision', '')}".strip(", "),
        "weights": str(report.get("weights", "")),
        "sizes": plan,
        "steps taken": str(len(report["history"])) if report["history"] else "",
        "time": f"{report['seconds']:.1f} s",
        "peak memory": f"{memory / 1e9:.2f} GB" if memory else "",
        "versions": ", ".join(f"{name} {each}" for name, each in report.get("versions", {}).items()),
        "chosen": ", ".join(chosen(report["recipe"])),
    }
    return {name: words[:LONGEST] for name, words in found.items() if words}


def chosen(recipe: Mapping[str, Any]) -> list[str]:
    """Return the recipe fields that are not the default, as on the command line: `--steps 40`."""
    usual = json.loads(json.dumps(Recipe().to_dict()))
    return [
        f"{flag(name)} {_typed(value)}" for name, value in recipe.items() if name in FIELDS and value != usual[name]
    ]


def _typed(value: Any) -> str:
    if isinstance(value, Mapping):
        return ",".join(f"{name}={_typed(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ",".join(map(_typed, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
