"""What every benchmark does with its figures: medians with their spread, a Markdown table, a JSON file."""

from __future__ import annotations

import json
import os
import platform
import statistics
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any


def spread(values: Sequence[float], unit: str = "", digits: int = 3) -> str:
    """`0.243 (0.239–0.260) s`: median, lowest and highest."""
    low, middle, high = min(values), statistics.median(values), max(values)
    return f"{middle:.{digits}f} ({low:.{digits}f}–{high:.{digits}f}){f' {unit}' if unit else ''}"


def markdown(rows: Sequence[Mapping[str, str]]) -> str:
    """Return the rows as a Markdown table, their keys as its head."""
    head = list(rows[0])
    lines = [head, ["---"] * len(head), *([row[name] for name in head] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def publish(name: str, rows: Sequence[Mapping[str, str]], raw: Any, folder: Path | None = None) -> None:
    """Print the table and write the raw figures to `benchmarks/results/<name>.json`."""
    print(markdown(rows))
    folder = folder or Path(__file__).parent / "results"
    folder.mkdir(exist_ok=True)
    machine = {
        "processor": processor(),
        "load": os.getloadavg(),
        "system": platform.platform(),
        "python": platform.python_version(),
    }
    record = {"benchmark": name, "date": date.today().isoformat(), "machine": machine, "figures": raw}
    (folder / f"{name}.json").write_text(json.dumps(record, indent=2) + "\n")


def processor() -> str:
    """Return the processor's name, where the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
