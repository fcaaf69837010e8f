"""A few hundred damaged files, the same ones each time; `benchmarks/fuzz.py` tries as many as one likes, ever new."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "benchmarks" / "fuzz.py"


@pytest.mark.frameworks
@pytest.mark.skipif(not os.path.exists("/proc/self/clear_refs"), reason="memory is measured as Linux tells it")
def test_damaged_files_are_read_or_refused_soon_and_in_little_memory():
    """Whatever fails is printed; `python benchmarks/fuzz.py --seed 3 --only KIND:NUMBER` does one again."""
    command = [sys.executable, str(SCRIPT), "--files", "320", "--seed", "3", "--workers", "1"]
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    done = subprocess.run(command, env=kept | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = re.findall(r"^\| (\w+) \| (\d+) \| (\d+) \| (\d+) \| 0 \|", done.stdout, re.MULTILINE)
    assert [row[0] for row in rows] == ["png", "jpeg", "tiff", "webp", "weights", "checkpoint", "recipe", "report"]
    assert all(int(count) == 40 and int(refused) > 0 for _, count, _, refused in rows)
    assert sum(int(read) for _, _, read, _ in rows) > 40, "or nothing behind the doors is tried"
