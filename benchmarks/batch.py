"""What `nst batch` saves and what Ray costs: seconds per picture, start-up apart, in wall-clock and in processor time.

    python benchmarks/batch.py CONTENTS STYLE [--rounds 3] [--magenta FOLDER]

Each figure is a picture of 256 px with the compact network and a few steps. Contenders take turns; processor time is
that of the process and of all that it has started, daemons of Ray included.
"""

from __future__ import annotations

import argparse
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from table import publish, spread

import nst

FEW = ["--size", "256", "--levels", "1", "--steps", "5", "--weights", "compact", "--device", "cpu"]
PICTURES = 24


def command(*words: str) -> tuple[float, float]:
    """Seconds and processor seconds of a whole command."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run([sys.executable, "-m", "nst", *words, "--quiet"], check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.perf_counter() - began, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def processor() -> float:
    """Seconds that all processes have computed so far which we have started, and those that they have."""
    fields = [field for path in Path("/proc").glob("[0-9]*/stat") if (field := _stat(path))]
    ours, before = {os.getpid()}, 0
    while len(ours) > before:
        before = len(ours)
        ours |= {pid for pid, parent, _ in fields if parent in ours}
    return sum(ticks for pid, _, ticks in fields if pid in ours) / os.sysconf("SC_CLK_TCK")


def _stat(path: Path) -> tuple[int, int, int] | None:
    """Return a process's number, its parent's, and the ticks used by it and its ended children."""
    try:
        number, _, rest = path.read_text().partition(" ")
    except OSError:
        return None
    fields = rest.rpartition(")")[2].split()
    return int(number), int(fields[1]), sum(map(int, fields[11:15]))


def steady(contents: str, style: str, recipe: nst.Recipe, executor: str, jobs: int) -> tuple[float, float]:
    """Seconds and processor seconds of a picture once every worker has painted two."""
    with tempfile.TemporaryDirectory() as folder:
        found = nst.batch(contents, style, folder, recipe, executor=executor, executor_options={"jobs": jobs})
        warm = 2 * jobs
        for number, painted in enumerate(found, start=1):
            assert painted.status == "finished", painted
            if number == warm:
                began, before = time.perf_counter(), processor()
            if number == PICTURES:
                seconds, computed = time.perf_counter() - began, processor() - before
                break
        found.close()
    return seconds / (PICTURES - warm), computed / (PICTURES - warm)


def singly(contents: Sequence[Path], style: str, many: int) -> tuple[float, float]:
    """Seconds and processor seconds of a picture by a command of its own."""
    with tempfile.TemporaryDirectory() as folder:
        each = [
            command("stylize", str(content), style, "-o", f"{folder}/{content.stem}.png", *FEW)
            for content in contents[:many]
        ]
    return tuple(sum(column) / many for column in zip(*each, strict=True))


def together(contents: str, style: str) -> tuple[float, float]:
    """Run the same pictures with one command for all."""
    with tempfile.TemporaryDirectory() as folder:
        seconds, computed = command("batch", "--content", contents, "--style", style, "-o", folder, *FEW)
    return seconds / PICTURES, computed / PICTURES


def copies(folder: str, into: Path) -> None:
    """As many pictures as are painted, of those in a folder."""
    found = sorted(path for path in Path(folder).iterdir() if path.is_file())
    for number in range(PICTURES):
        source = found[number % len(found)]
        shutil.copy(source, into / f"{number:02d}{source.suffix}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("contents")
    parser.add_argument("style")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--single", type=int, default=4, help="commands of their own for each round")
    parser.add_argument("--magenta", default="")
    parser.add_argument("--steps", type=int, default=20, help="of the pictures of two workers")
    parser.add_argument("--only", default="", help="of the contenders, those with this in their name")
    given = parser.parse_args()
    recipe = nst.Recipe(size=256, levels=1, steps=given.steps, weights="compact", device="cpu")
    with tempfile.TemporaryDirectory() as folder:
        copies(given.contents, Path(folder))
        contents = sorted(Path(folder).iterdir())
        turns = {
            "`nst stylize`, once each": lambda: singly(contents, given.style, given.single),
            "`nst batch`": lambda: together(folder, given.style),
            "in `nst batch`, two workers": lambda: steady(folder, given.style, recipe, "local", 2),
            "in `nst batch`, two workers of Ray": lambda: steady(folder, given.style, recipe, "ray", 2),
        }
        if given.magenta:
            fast = nst.Recipe(backend="tfhub-fast", weights=given.magenta, size=256)
            turns["`tfhub-fast` in `nst batch`"] = lambda: steady(folder, given.style, fast, "local", 1)
        turns = {name: turn for name, turn in turns.items() if given.only in name}
        taken = {name: [] for name in turns}
        for _ in range(given.rounds):
            for name, turn in turns.items():
                taken[name].append(turn())
                print(name, taken[name][-1], file=sys.stderr)
    rows = [
        {
            "": name,
            "seconds a picture": spread([each[0] for each in found], digits=2),
            "processor seconds": spread([each[1] for each in found], digits=2),
        }
        for name, found in taken.items()
    ]
    publish("batch", rows, taken)


if __name__ == "__main__":
    main()
