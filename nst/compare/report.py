"""Collect the results of a comparison as data, for `report.json`, the page and the terminal."""

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
"""The facts of a cell that the report repeats."""


@dataclass
class Column:
    """One picture of a comparison, with its results.

    `folder` has the results of the cell; it is None for a finished picture that was compared as it is.
    """

    name: str
    picture: Path
    folder: Path | None = None
    recipe: Mapping[str, Any] = field(default_factory=dict)
    judgement: Scores | None = None

    @cached_property
    def facts(self) -> dict[str, Any]:
        """The facts in the cell's folder."""
        return parity.load_facts(self.folder) if self.folder else {"finished": True}

    @property
    def failures(self) -> dict[str, str]:
        """The errors, by stage."""
        return dict(self.facts.get("failures", {}))

    @property
    def status(self) -> str:
        """The status: "finished", "failed", or "not finished" for an interrupted or waiting cell."""
        return "failed" if self.failures else "finished" if self.facts.get("finished") else "not finished"


def build(columns: Sequence[Column], about: Mapping[str, Any], root: Path, interrupted: bool = False) -> dict[str, Any]:
    """Build the report as plain data; `about` names the inputs and the evaluator, paths are relative to `root`."""
    probed = [parity.read(column.name, column.folder, column.facts) for column in columns if column.folder]
    rows = parity.rows(probed)
    return {
        "nst": __version__,
        **about,
        "columns": [_column(column, root) for column in columns],
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
    lines = []
    for column in columns:
        own = [row for row in rows if row.name == column.name]
        for against in dict.fromkeys(row.against for row in own):
            checks = {check: _worst(own, against, check) for check in TOLERANCES}
            lines.append({"name": column.name, "against": against, "checks": checks})
    return lines


def _worst(rows: Sequence[ParityRow], against: str, check: str) -> dict[str, Any] | None:
    row = parity.worst([row for row in rows if (row.against, row.check) == (against, check)])
    return asdict(row) if row else None


def _exit_code(columns: Sequence[Column], rows: Sequence[ParityRow], interrupted: bool) -> int:
    if interrupted:
        return 130
    return int(any(row.parity == "fail" for row in rows) or any(column.status != "finished" for column in columns))


def write(path: Path, report: Mapping[str, Any]) -> None:
    """Write a report as strict JSON, in which what is not a finite number is null."""
    text = json.dumps(_strict(report), indent=2, allow_nan=False) + "\n"
    atomic.replace(path, lambda file: file.write(text.encode()))


def _strict(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _strict(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_strict(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
