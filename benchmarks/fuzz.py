"""Damaged files of every kind that nst reads: each must be read or refused in a sentence, soon and in little memory.

    python benchmarks/fuzz.py [--files 10000] [--seed N] [--workers 2] [--kinds png,tiff] [--only png:17]

The files are made from the seed, which is printed: the same seed makes the same files. Workers are processes, so that
a crash of a decoder in C is noticed; one is ended after 5 s of processor time with one file, and a file that takes more
than 1 GB is a failure too. `--only` does one file again, here, with its traceback, and says where it is.
The kinds `recipe` and `checkpoint` go through `nst rerun` and `nst resume` up to where painting would begin.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import specimens
from specimens import Specimens

from nst import images
from nst.cli import app
from nst.cli.session import Session
from nst.errors import NstError, UserError
from nst.persistence import provenance
from nst.vgg import network

KINDS = ("png", "jpeg", "tiff", "webp", "weights", "checkpoint", "recipe", "report")
SUFFIX = {"weights": ".safetensors", "checkpoint": ".nst", "recipe": ".png", "report": ".json"}
SECONDS, BYTES = 5, 10**9
"""What one file may take of the processor and of memory."""

SHARE = 400
"""Files that a worker is given at a time."""


def damaged(kind: str, seed: int, number: int, whole: Specimens) -> bytes:
    """Return the file of this kind, seed and number."""
    dice = Random(f"{seed} {kind} {number}")
    return specimens.spoiled(kind, dice.choice(whole[kind]), whole[kind], dice)


def tried(kind: str, path: Path) -> str:
    """Have nst read the file: "read" or "refused". Raises what nst must not raise."""
    if kind in ("recipe", "checkpoint", "report"):
        return _commanded(kind, path)
    try:
        if kind == "weights":
            network.read(path)
        else:
            images.check_input(path)
            images.read(path)
            with suppress(UserError):
                provenance.read(path)
    except UserError:
        return "refused"
    return "read"


def _commanded(kind: str, path: Path) -> str:
    """As a person would, to see what the command line makes of it; whatever is left in the folder is a failure."""
    before = sorted(os.listdir())
    words = {"recipe": ["rerun", path.name], "checkpoint": ["resume", path.name, "-o", "new.png"], "report": ["report"]}
    code = app.run(words[kind] if kind != "report" else ["report", path.name, "-o", "page.html"])
    Path("page.html").unlink(missing_ok=True)
    if sorted(os.listdir()) != before:
        raise AssertionError(f"it left {set(os.listdir()) ^ set(before)}")
    return {0: "read", 2: "refused"}[code]


def work() -> None:
    """Read `kind seed number` lines and print a line of JSON for each, as a worker."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    Session.run = lambda *_, **__: 0  # painting is not what is tried here
    app._report = _refused
    with tempfile.TemporaryDirectory() as name:
        os.chdir(name)
        whole = specimens.make()
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        for line in sys.stdin:
            kind, seed, number = line.split()
            answers.write(json.dumps(_measured(kind, damaged(kind, int(seed), int(number), whole))) + "\n")


def _refused(error: NstError, debug: bool) -> int:
    """Return an error of the command line; raise an error of nst itself again."""
    if (error.__cause__ is not None and not isinstance(error, UserError)) or "defect of nst" in error.hint:
        raise error
    return error.exit_code


def _measured(kind: str, content: bytes) -> dict[str, Any]:
    path = Path(f"file{SUFFIX.get(kind, f'.{kind}')}")
    path.write_bytes(content)
    Path("/proc/self/clear_refs").write_text("5")  # the peak starts anew
    before = _memory("VmRSS")
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    began, outcome, reason = _processor(), "failed", ""
    try:
        outcome = tried(kind, path)
    except BaseException as error:
        reason = f"{type(error).__name__}: {error}"[:300]
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    taken = {"seconds": _processor() - began, "bytes": _memory("VmHWM") - before}
    path.unlink(missing_ok=True)
    if taken["bytes"] > BYTES:
        outcome, reason = "failed", f"it took {taken['bytes']:,} bytes"
    return {"outcome": outcome, "reason": reason, **taken}


def _processor() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _memory(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return int(text.partition(f"{name}:")[2].split()[0]) * 1024


@dataclass
class Tally:
    """What became of the files of one kind."""

    outcomes: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0
    peak: int = 0

    def add(self, told: dict[str, Any]) -> None:
        """Count one more."""
        self.outcomes[told["outcome"]] += 1
        self.slowest = max(self.slowest, told["seconds"])
        self.peak = max(self.peak, told["bytes"])


def batch(seed: int, files: Iterable[tuple[str, int]]) -> Iterator[tuple[str, int, dict[str, Any]]]:
    """Yield the result of each file; a worker that dies costs only the file that killed it.

    One that is slow is tried again by itself: on a busy machine that may not have been its own doing.
    """
    left, doubted = list(files), set[tuple[str, int]]()
    while left:
        command = [sys.executable, __file__, "--work"]
        lines = "".join(f"{kind} {seed} {number}\n" for kind, number in left)
        done = subprocess.run(command, input=lines, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        yield from ((*file, told) for file, told in zip(left, answers, strict=False))
        left = left[len(answers) :]
        if left:
            slow = done.returncode == -signal.SIGPROF
            if slow and left[0] not in doubted:
                doubted.add(left[0])
                continue
            died = f"it took more than {SECONDS} s" if slow else f"its worker ended with {done.returncode}"
            yield *left.pop(0), {"outcome": "failed", "reason": died, "seconds": 0.0, "bytes": 0}


def run(count: int, seed: int, workers: int, kinds: Sequence[str] = KINDS) -> int:
    """Try so many files, print the table and every failure; the number of failures."""
    tallies, failures = {kind: Tally() for kind in kinds}, list[str]()
    each = -(-count // len(kinds))
    files = [(kind, number) for number in range(each) for kind in kinds]
    jobs = [files[at : at + SHARE] for at in range(0, len(files), SHARE)]
    with ThreadPoolExecutor(workers) as pool:
        for found in pool.map(lambda job: [*batch(seed, job)], jobs):
            for kind, number, told in found:
                tallies[kind].add(told)
                if told["outcome"] == "failed":
                    failures.append(f"{kind}:{number} {told['reason']}")
                    print(failures[-1], flush=True)
    table(tallies)
    return len(failures)


def table(tallies: dict[str, Tally]) -> None:
    """Markdown: a line for each kind."""
    print("| kind | files | read | refused | failed | slowest | most memory |\n|---|---|---|---|---|---|---|")
    for kind, tally in tallies.items():
        counts = [tally.outcomes[name] for name in ("read", "refused", "failed")]
        shown = " | ".join(map(str, (sum(counts), *counts)))
        print(f"| {kind} | {shown} | {tally.slowest:.2f} s | {tally.peak / 1e6:.0f} MB |")


def again(kind: str, number: int, seed: int) -> None:
    """One file, in this process."""
    Session.run = lambda *_, **__: 0
    folder = Path(tempfile.mkdtemp(prefix="nst-fuzz-"))
    os.chdir(folder)
    path = Path(f"{kind}-{number}{SUFFIX.get(kind, f'.{kind}')}")
    path.write_bytes(damaged(kind, seed, number, specimens.make()))
    print(folder / path)
    print(tried(kind, path))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--files", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--kinds", default=",".join(KINDS), help="some of them, between commas")
    parser.add_argument("--only", metavar="KIND:NUMBER")
    parser.add_argument("--work", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.work:
        return work()
    seed = Random().randrange(10**9) if given.seed is None else given.seed
    print(f"seed {seed}", flush=True)
    if given.only:
        kind, _, number = given.only.partition(":")
        return again(kind, int(number), seed)
    sys.exit(min(1, run(given.files, seed, given.workers, given.kinds.split(","))))


if __name__ == "__main__":
    main()
