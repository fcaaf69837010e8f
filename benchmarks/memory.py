"""What a run says it will take against what it then takes, and the constants of `MemoryModel` that fit best.

    python benchmarks/memory.py [--backends torch-vgg19 keras-vgg19] [--sizes 128 256 …] [--weights compact PATH …]

Each run is a process of its own, so that its peak memory is its own; memory does not depend on how busy the machine
is. Times are of one process too, the estimate's probe and the run after it, and depend on it. The constants printed at
the end belong into the backend's `BackendSpec(memory=MemoryModel(base=…, factor=…))`, in `plugins/nst-torch` and
`plugins/nst-keras`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from table import markdown, publish

from nst.images.demo_painting import paint_demo
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.recipe.recipe import Recipe
from nst.specs import MemoryModel

REAL = Path(__file__).parents[2] / "shared" / "data" / "vgg19-imagenet.safetensors"
TILE = 256
STEPS = 3


def work(recipe: dict[str, Any]) -> dict[str, float]:
    """One run: what it said, what it took, and what its estimate is made of."""
    size = recipe["sizes"][0]
    painting = paint_demo(size, size * 3 // 4)
    job = Job(Sources(painting[::-1].copy(), [painting]), Recipe(**recipe, device="cpu"))
    estimate = job.estimate()
    facts = job.stylize().facts
    return {
        "estimated": estimate.memory,
        "peak": facts["peak_memory"],
        "seconds estimated": estimate.seconds,
        "seconds": facts["seconds"],
        **parts(job),
    }


def parts(job: Job) -> dict[str, float]:
    """Return the memory estimate as a sum: the base, the factor times the activations, and the rest."""
    (stage,), estimator = job.run_plan.levels, job.run_plan.estimator

    def memory(**model: float) -> int:
        bare = replace(estimator, model=MemoryModel(**model), resident=0)
        return bare.memory(stage, [stage.outline], stage.tile)

    rest = memory(base=0, factor=0.0)
    return {"activations": memory(base=0, factor=1.0) - rest, "rest": rest}


def runs(backend: str, weights: list[str], sizes: list[int]) -> Iterator[dict[str, Any]]:
    """Whole and in tiles; a picture no larger than a tile is no other in tiles."""
    for name in weights:
        for size in sizes:
            for tile in ("off", str(TILE)) if size > TILE else ("off",):
                yield {"backend": backend, "weights": name, "sizes": [size], "steps": [STEPS], "tile": tile}


def measured(recipe: dict[str, Any]) -> dict[str, Any]:
    """One run in a process of its own."""
    command = [sys.executable, __file__, "--work", json.dumps(recipe)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True)
    return {**recipe, **json.loads(done.stdout)}


def fitted(figures: list[dict[str, Any]]) -> tuple[float, float]:
    """Fit the base and the factor whose estimates are nearest, relative to the peaks (least squares)."""
    peaks = np.array([row["peak"] for row in figures])
    unknown = np.array([[1.0, row["activations"]] for row in figures]) / peaks[:, None]
    known = 1 - np.array([row["rest"] for row in figures]) / peaks
    base, factor = np.linalg.lstsq(unknown, known, rcond=None)[0]
    return float(base), float(factor)


def row(found: dict[str, Any]) -> dict[str, str]:
    return {
        "backend": found["backend"],
        "weights": Path(found["weights"]).stem,
        "size": str(found["sizes"][0]),
        "tile": found["tile"],
        "estimated, GB": f"{found['estimated'] / 1e9:.2f}",
        "peak, GB": f"{found['peak'] / 1e9:.2f}",
        "memory, ratio": f"{found['estimated'] / found['peak']:.2f}",
        "time, ratio": f"{found['seconds estimated'] / found['seconds']:.2f}",
    }


def constants(figures: list[dict[str, Any]]) -> list[dict[str, str]]:
    """For each backend what would fit these figures best."""
    found = []
    for backend in dict.fromkeys(each["backend"] for each in figures):
        base, factor = fitted([each for each in figures if each["backend"] == backend])
        model = f"`MemoryModel(base={round(base / 1e6)}_000_000, factor={factor:.2f})`"
        found.append({"backend": backend, "fits best": model})
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="+", default=["torch-vgg19", "keras-vgg19"])
    parser.add_argument("--sizes", nargs="+", type=int, default=[128, 256, 512, 768])
    parser.add_argument("--weights", nargs="+", default=["compact", *([str(REAL)] if REAL.is_file() else [])])
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        print(json.dumps(work(json.loads(arguments.work))))
        return
    recipes = [each for backend in arguments.backends for each in runs(backend, arguments.weights, arguments.sizes)]
    figures = [measured(each) for each in recipes]
    publish("memory", [row(each) for each in figures], figures)
    print("\n" + markdown(constants(figures)))


if __name__ == "__main__":
    main()
