"""Everything a comparison found, as data: what `report.json` holds, and what the page and the terminal show."""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from nst import __version__
from nst.compare import parity
from nst.compare.metrics import Scores
from nst.compare.parity import TOLERANCES, ParityRow
from nst.io import atomic

FACTS = (
    "device",
    "weights",
    "precision",
    "identity",
    "versions",
    "sizes",
    "steps",
    "seconds",
    "startup",
    "peak_memory",
    "pinned",
    "stopped",
    "notes",
    "history",
)
"""What of a worker's facts the report repeats."""


@dataclass
class Column:
    """One of the compared: a picture, if it was made, and what is known about it.

    `folder` is where a worker left what it found; None for a picture from elsewhere.
    """

    name: str
    picture: Path
    folder: Path | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    judgement: Scores | None = None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What its worker found."""
        return parity.load_facts(self.folder) if self.folder else {"finished": True}

    @property
    def failures(self) -> dict[str, str]:
        """What went wrong, by stage."""
        return dict(self.facts.get("failures", {}))

    @property
    def status(self) -> str:
        """One of: finished, failed, not finished (interrupted, or never begun)."""
        return "failed" if self.failures else "finished" if self.facts.get("finished") else "not finished"


def build(columns: Sequence[Column], about: Mapping[str, Any], root: Path, interrupted: bool = False) -> dict[str, Any]:
    """Build the report as plain data; `about` names the inputs and the evaluator, paths are relative to `root`."""
    probed = [parity.read(each.name, each.folder, each.facts) for each in columns if each.folder]
    rows = parity.rows(probed)
    return {
        "nst": __version__,
        **about,
        "columns": [_column(each, root) for each in columns],
        "tolerances": TOLERANCES,
        "rows": [asdict(row) for row in rows],
        "summary": _summary(columns, rows),
        "exit_code": _exit_code(columns, rows, interrupted),
    }


def _column(column: Column, root: Path) -> dict[str, Any]:
    facts = column.facts
    return {
        "name": column.name,
        "status": column.status,
        "picture": os.path.relpath(column.picture, root),
        "failures": column.failures,
        "recipe": dict(column.recipe),
        "judgement": asdict(column.judgement) if column.judgement else None,
        **{name: facts[name] for name in FACTS if name in facts},
    }


def _summary(columns: Sequence[Column], rows: Sequence[ParityRow]) -> list[dict[str, Any]]:
    """Return the worst row of each check, per column and baseline, in the columns' order."""
    found = []
    for column in columns:
        own = [row for row in rows if row.name == column.name]
        for against in dict.fromkeys(row.against for row in own):
            checks = {check: _worst(own, against, check) for check in TOLERANCES}
            found.append({"name": column.name, "against": against, "checks": checks})
    return found


def _worst(rows: Sequence[ParityRow], against: str, check: str) -> dict[str, Any] | None:
    found = parity.worst([row for row in rows if (row.against, row.check) == (against, check)])
    return asdict(found) if found else None


def _exit_code(columns: Sequence[Column], rows: Sequence[ParityRow], interrupted: bool) -> int:
    if interrupted:
        return 130
    return int(any(row.parity == "fail" for row in rows) or any(each.status != "finished" for each in columns))


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as strict JSON, in which what is not a finite number is null."""
    text = json.dumps(_strict(report), indent=2, allow_nan=False) + "\n"
    atomic.replace(path, lambda file: file.write(text.encode()))


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _strict(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
