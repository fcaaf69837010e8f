"""What it costs to be able to say how a picture was made, and to go on with its making: shares of a whole run.

    python benchmarks/keeping.py [--size 512] [--rounds 3] [--weights compact]

A whole run as by default, with a checkpoint as by default (every minute, and at the end of each size). Of its processor
time: hashing the weights; the record, which hashes the pictures and asks for versions; writing that record into the
picture (a PNG with it against one without, the median of nine turns); and the checkpoints. The pictures are our own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from table import publish, spread

from nst import Recipe, images
from nst.engine.level_run import Progress
from nst.images.demo_painting import paint_demo
from nst.io.download import sha256_of
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.persistence import provenance
from nst.persistence.checkpoint import Checkpoints
from nst.protocols import Pixels

PARTS = ("weights' hash", "record", "text in the picture", "checkpoints")


def seconds(act: Callable[[], object]) -> float:
    """Of processor time, of this thread and no other: of a framework's own the run may have some at work."""
    began = time.thread_time()
    act()
    return time.thread_time() - began


class Timed:
    """Checkpoints that know what they have taken."""

    def __init__(self, keep: Checkpoints) -> None:
        self._keep, self.seconds = keep, 0.0

    def __call__(self, progress: Progress) -> None:
        self.seconds += seconds(lambda: self._keep(progress))


def text_seconds(folder: Path, pixels: Pixels, text: str) -> float:
    """Measure the time that the text adds to writing the picture."""
    turns = [
        [
            seconds(lambda given=given: images.write(folder / "out.png", pixels, text=given))
            for given in (None, {"nst": text})
        ]
        for _ in range(9)
    ]
    return max(0.0, statistics.median(with_text - without for without, with_text in turns))


def run(file: str, size: int, folder: Path) -> dict[str, float]:
    """One whole run; seconds of the whole and of each part."""
    content, style = (folder / f"{name}.png" for name in ("content", "style"))
    began = time.process_time()
    job = Job(Sources(str(content), [str(style)]), Recipe(size=size, weights=file, device="cpu"))
    job.open()
    hashing = seconds(lambda: sha256_of(job.weights.source.path()))
    kept: list[provenance.Record] = []
    recording = seconds(lambda: kept.append(provenance.record(job)))
    checkpoints = Timed(Checkpoints(folder / "run.nst", {"record": kept[0].to_dict()}))
    result = job.stylize(checkpoints)
    whole = time.process_time() - began
    text = text_seconds(folder, result.pixels, json.dumps(kept[0].to_dict()))
    return dict(zip(PARTS, (hashing, recording, text, checkpoints.seconds), strict=True)) | {"whole": whole}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--weights", nargs="+", default=["compact"])
    given = parser.parse_args()
    found: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, seed in (("content", 9), ("style", 1)):
            images.write(Path(folder) / f"{name}.png", paint_demo(1024, 768, seed=seed))
        for file in given.weights:
            found[Path(file).stem] = [run(file, given.size, Path(folder)) for _ in range(given.rounds)]
    publish("keeping", [row(name, part, runs) for name, runs in found.items() for part in (*PARTS, "all four")], found)


def row(name: str, part: str, runs: list[dict[str, float]]) -> dict[str, str]:
    taken = [sum(run[each] for each in (PARTS if part == "all four" else (part,))) for run in runs]
    shares = [100 * part / run["whole"] for part, run in zip(taken, runs, strict=True)]
    return {
        "weights": name,
        "part": part,
        "processor seconds": spread(taken),
        "of a run of": spread([run["whole"] for run in runs], "s", 1),
        "percent": spread(shares, digits=2),
    }


if __name__ == "__main__":
    main()
