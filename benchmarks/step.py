"""Seconds and memory of one evaluation of the loss and its gradient, against a bare loop over the same network.

    python benchmarks/step.py [--size 512] [--rounds 9] [--backends torch keras] [--weights compact PATH …]

Each contender is a process of its own, so that its peak memory is its own. They take turns, one evaluation each, and
the ratio is taken turn by turn. `nst step` is a whole step of L-BFGS through the engine's own objective.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable
from importlib import import_module
from itertools import islice
from pathlib import Path

import numpy as np
from table import publish, spread

from nst import weights
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.memory import peak_memory
from nst.network import Network
from nst.objective import build_objective
from nst.protocols import Array, Objective
from nst.terms import LossUse, Region, pointwise_terms, style_terms
from nst.tiles import whole

CONTENDERS = ("bare loop", "nst", "nst step")
REAL = Path(__file__).parents[2] / "shared" / "data" / "vgg19-imagenet.safetensors"


def pictures(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures with something to see at every scale: our own painting, and it turned around."""
    from nst.painting import paint

    painting = paint(size, size)
    return painting[::-1].copy(), painting


def contender(name: str, framework: str, network: Network, size: int) -> Callable[[], object]:
    """A function that does one evaluation."""
    content, style = pictures(size)
    if name == "bare loop":
        bare = import_module(f"bare_{framework}")
        evaluate, image = bare.evaluation(network, content, style), bare.as_image(content + np.float32(0.01))
        return lambda: evaluate(image)
    objective, image = nst_objective(framework, network, content, style)
    if name == "nst":
        return lambda: objective(image)
    from nst_optimizers.lbfgs import lbfgs

    steps = lbfgs(objective, image)
    deque(islice(steps, 21), maxlen=0)  # a full history
    return lambda: next(steps)


def nst_objective(framework: str, network: Network, content: np.ndarray, style: np.ndarray) -> tuple[Objective, Array]:
    backend = import_module(f"nst_{framework}.vgg").VGG(network, device="cpu")
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    tiles = whole(content.shape[:2])
    terms = style_terms(backend, LossUse("style", Gram(), layers, 100.0), Region([style], [1.0]), tiles)
    terms += pointwise_terms(backend, LossUse("content", Content(), {"relu4_2": 1.0}, 10.0), content, tiles)
    return build_objective(backend, terms, tiles), backend.asarray(content + np.float32(0.01))


def work(name: str, framework: str, file: str, size: int) -> None:
    """A contender's process: one evaluation for each line of input, its seconds for an answer."""
    source = weights.COMPACT if file == "compact" else weights.NeutralFile(file)
    act = contender(name, framework, source.load(), size)
    act()
    print("ready", flush=True)
    for _ in sys.stdin:
        began = time.perf_counter()
        act()
        print(json.dumps({"seconds": time.perf_counter() - began, "peak": peak_memory()}), flush=True)


class Worker:
    """A contender at work in a process of its own."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, __file__, "--work", *arguments]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.process.stdout.readline()

    def turn(self) -> dict[str, float]:
        self.process.stdin.write("go\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait()


def measure(framework: str, file: str, size: int, rounds: int) -> dict[str, list[dict[str, float]]]:
    workers = {name: Worker(name, framework, file, str(size)) for name in CONTENDERS}
    turns = [{name: worker.turn() for name, worker in workers.items()} for _ in range(rounds)]
    for worker in workers.values():
        worker.close()
    return {name: [turn[name] for turn in turns] for name in CONTENDERS}


def rows(framework: str, file: str, figures: dict[str, list[dict[str, float]]]) -> list[dict[str, str]]:
    bare = figures["bare loop"]
    return [
        {
            "framework": framework,
            "weights": Path(file).stem,
            "contender": name,
            "seconds": spread([turn["seconds"] for turn in turns]),
            "times bare": spread([turn["seconds"] / base["seconds"] for turn, base in zip(turns, bare, strict=True)]),
            "peak memory, GB": f"{turns[-1]['peak'] / 1e9:.2f}",
            "times bare's memory": f"{turns[-1]['peak'] / bare[-1]['peak']:.2f}",
        }
        for name, turns in figures.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--weights", nargs="+", default=["compact", *([str(REAL)] if REAL.is_file() else [])])
    parser.add_argument("--backends", nargs="+", default=["torch", "keras"])
    parser.add_argument("--work", nargs=4, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        name, framework, file, size = arguments.work
        work(name, framework, file, int(size))
        return
    pairs = [(framework, file) for framework in arguments.backends for file in arguments.weights]
    found = {pair: measure(*pair, arguments.size, arguments.rounds) for pair in pairs}
    raw = {f"{framework} {Path(file).stem}": figures for (framework, file), figures in found.items()}
    publish("step", [row for pair, figures in found.items() for row in rows(*pair, figures)], raw)


if __name__ == "__main__":
    main()
