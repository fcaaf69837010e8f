"""Seconds of a small picture beside busy programs, with PyTorch's usual threads and with one.

`python benchmarks/contention.py [REPEATS]` paints 256 px in a process of its own: on an idle machine, and beside one
and two programs that use a core each. "spinning" is the setting of libgomp, in which threads spin for long.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from nst.images import save_image
from nst.images.demo_painting import paint_demo

MODES: Mapping[str, Mapping[str, str]] = {
    "nst": {},
    "one thread": {"OMP_NUM_THREADS": "1"},
    "spinning": {"GOMP_SPINCOUNT": "300000"},
}


@contextmanager
def busy(count: int) -> Iterator[None]:
    """Run `count` programs that use a core each."""
    programs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for program in programs:
            program.kill()
            program.wait()


def seconds(folder: str, settings: Mapping[str, str]) -> float:
    """Paint the picture once, and return the seconds from the command to the file."""
    inherited = {name: value for name, value in os.environ.items() if name not in ("OMP_NUM_THREADS", "GOMP_SPINCOUNT")}
    command = [sys.executable, "-m", "nst", "stylize", "photo.png", "style.png", "-o", "out.png", "--size", "256", "-q"]
    began = time.perf_counter()
    subprocess.run([*command, "--weights", "compact"], cwd=folder, env={**inherited, **settings}, check=True)
    return time.perf_counter() - began


def main(repeats: int = 3) -> None:
    """Print a table: the median and the range of the seconds, and the ratio to one thread's."""
    with TemporaryDirectory() as folder:
        save_image(Path(folder) / "photo.png", paint_demo(256, 192, seed=1))
        save_image(Path(folder) / "style.png", paint_demo(256, 192))
        print("| busy programs | threads | seconds | of one thread |\n|---|---|---|---|")
        for count in range(3):
            with busy(count):
                times = {mode: [seconds(folder, MODES[mode]) for _ in range(repeats)] for mode in MODES}
            for mode, taken in times.items():
                ratio = median(taken) / median(times["one thread"])
                print(f"| {count} | {mode} | {median(taken):.1f} ({min(taken):.1f}–{max(taken):.1f}) | {ratio:.2f} |")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
