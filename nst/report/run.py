"""A run's report as data: its curves, where its sizes begin, and its facts in words."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any

from nst.errors import UserError
from nst.recipe import FIELDS, Recipe, flag

Report = Mapping[str, Any]
Curves = Mapping[str, Sequence[float]]

NEEDED = {"history", "recipe", "stopped", "seconds", "sizes", "steps"}
ROW = {"step", "size", "loss", "terms"}


def load(path: str | Path) -> Report:
    """What `nst stylize --report` wrote. Raises `UserError` for anything else."""
    try:
        found = json.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}", "give what --report wrote") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"'{path}' is not JSON: {error}", "give what --report wrote") from None
    rows = found.get("history") if isinstance(found, dict) else None
    whole = isinstance(rows, list) and all(isinstance(row, dict) and row.keys() >= ROW for row in rows)
    if not whole or not found.keys() >= NEEDED:
        raise UserError(f"'{path}' is no report of a run", "give what nst stylize --report wrote")
    report: Report = found
    return report


def losses(report: Report) -> dict[str, list[float]]:
    """The loss at each step, and its terms summed over their layers."""
    kinds = {name: name.partition(" ")[0] for row in report["history"] for name in row["terms"]}
    found = {"loss": [row["loss"] for row in report["history"]]}
    for kind in dict.fromkeys(kinds.values()):
        own = [name for name in kinds if kinds[name] == kind]
        found[kind] = [sum(row["terms"].get(name, 0.0) for name in own) for row in report["history"]]
    return found


def terms(report: Report) -> dict[str, list[float]]:
    """Each term at each step."""
    names = dict.fromkeys(name for row in report["history"] for name in row["terms"])
    return {name: [row["terms"].get(name, 0.0) for row in report["history"]] for name in names}


def sizes(report: Report) -> dict[int, str]:
    """The position of each size's first step, from 1, and what it is called."""
    marks, position = {}, 1
    for size, rows in groupby(row["size"] for row in report["history"]):
        marks[position] = f"{size} px"
        position += len([*rows])
    return marks


def facts(report: Report) -> dict[str, str]:
    """What ran where, how long, and to what end."""
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
    return {name: words for name, words in found.items() if words}


def chosen(recipe: Mapping[str, Any]) -> list[str]:
    """What of a recipe is not the default, as on the command line: `--steps 40`."""
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
