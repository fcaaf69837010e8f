"""Seconds and memory of one evaluation of the loss and its gradient, against a bare loop over the same network.

    python benchmarks/step.py [--size 512] [--rounds 9] [--backends torch keras] [--weights compact PATH …]
                              [--precisions float32 bfloat16]

Each contender is a process of its own, so that its peak memory is its own. They take turns, one evaluation each, and
every ratio is taken turn by turn. Processor time is that of all threads together; other work on the machine hardly
counts in it. The bare loop is float32. `nst step` is a whole step of L-BFGS through the engine's own objective. The
matrix peak is a large product of matrices in oneDNN, in the same precision, taking its turn too: operations for a
second of processor time. Of an evaluation only convolutions count, forward and back to their input, 2 operations for
each multiply-add.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from importlib import import_module
from itertools import islice
from pathlib import Path

import numpy as np
from table import publish, spread

from nst.devices import cpu_has_bfloat16
from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import whole
from nst.estimate.memory import peak_memory
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.protocols import Array, Objective
from nst.vgg.network import Network
from nst.weights import selection

Contender = tuple[str, str]
"""Its name and its precision."""

BARE: Contender = ("bare loop", "float32")
SIDE = 2048  # of the matrices whose product is the peak
DEEPEST = "conv5_1"
REAL = Path(__file__).parents[2] / "shared" / "data" / "vgg19-imagenet.safetensors"


def pictures(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two pictures with something to see at every scale: our own painting, and it turned around."""
    from nst.images.demo_painting import paint_demo

    painting = paint_demo(size, size)
    return painting[::-1].copy(), painting


def contenders(precisions: Sequence[str]) -> list[Contender]:
    return [BARE, *((name, precision) for precision in precisions for name in ("nst", "nst step", "peak"))]


def operations(network: Network, size: int) -> float:
    """Of one evaluation of a square picture, up to the deepest layer in use."""
    total, block = 0.0, "1"
    for name, kernel in network.kernels.items():
        size, block = (size // 2, name[4]) if name[4] != block else (size, block)
        total += 2 * 2 * kernel.size * size * size
        if name == DEEPEST:
            break
    return total


def peak(precision: str) -> Callable[[], object]:
    """Multiply two matrices in oneDNN, which may use newer instructions than `torch.matmul` in float32."""
    import torch

    a, b = (torch.randn(SIDE, SIDE).to(getattr(torch, precision)) for _ in range(2))
    return lambda: torch.ops.mkldnn._linear_pointwise(a, b, None, "none", [], "")


def contender(name: str, precision: str, framework: str, network: Network, size: int) -> Callable[[], object]:
    """Return a function that does one evaluation."""
    if name == "peak":
        return peak(precision)
    content, style = pictures(size)
    if name == "bare loop":
        bare = import_module(f"bare_{framework}")
        evaluate, image = bare.evaluation(network, content, style), bare.as_image(content + np.float32(0.01))
        return lambda: evaluate(image)
    objective, image = nst_objective(framework, precision, network, content, style)
    if name == "nst":
        return lambda: objective(image)
    from nst_optimizers.lbfgs import lbfgs

    steps = lbfgs(objective, image)
    deque(islice(steps, 21), maxlen=0)  # a full history
    return lambda: next(steps)


def nst_objective(
    framework: str, precision: str, network: Network, content: np.ndarray, style: np.ndarray
) -> tuple[Objective, Array]:
    backend = import_module(f"nst_{framework}.vgg").VGG(network, device="cpu", precision=precision)
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    tiles = whole(content.shape[:2])
    terms = style_terms(backend, WeightedLoss("style", Gram(), layers, 100.0), Region([style], [1.0]), tiles)
    terms += pointwise_terms(backend, WeightedLoss("content", Content(), {"relu4_2": 1.0}, 10.0), content, tiles)
    return build_objective(backend, terms, tiles), backend.asarray(content + np.float32(0.01))


def load(file: str) -> Network:
    return (selection.COMPACT if file == "compact" else selection.NeutralFile(file)).load()


def work(name: str, precision: str, framework: str, file: str, size: int) -> None:
    """Run one evaluation for each line of input and print its seconds."""
    act = contender(name, precision, framework, load(file), size)
    for _ in range(3):
        act()
    print("ready", flush=True)
    for _ in sys.stdin:
        began, used = time.perf_counter(), time.process_time()
        act()
        taken = {"seconds": time.perf_counter() - began, "processor": time.process_time() - used}
        print(json.dumps(taken | {"peak": peak_memory()}), flush=True)


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


def measure(
    framework: str, file: str, size: int, rounds: int, precisions: Sequence[str]
) -> dict[Contender, list[dict[str, float]]]:
    workers = {each: Worker(*each, framework, file, str(size)) for each in contenders(precisions)}
    turns = [{each: worker.turn() for each, worker in workers.items()} for _ in range(rounds)]
    for worker in workers.values():
        worker.close()
    return {each: [turn[each] for turn in turns] for each in workers}


def ratio(turns: Sequence[dict[str, float]], bare: Sequence[dict[str, float]], kind: str) -> str:
    return spread([turn[kind] / base[kind] for turn, base in zip(turns, bare, strict=True)], digits=2)


def rows(
    framework: str, file: str, size: int, figures: dict[Contender, list[dict[str, float]]]
) -> list[dict[str, str]]:
    bare, done = figures[BARE], operations(load(file), size)
    found = []
    for (name, precision), turns in figures.items():
        if name == "peak":
            continue
        tops = figures["peak", precision]
        shares = [
            done / turn["processor"] / (2 * SIDE**3 / top["processor"]) for turn, top in zip(turns, tops, strict=True)
        ]
        found.append(
            {
                "framework": framework,
                "weights": Path(file).stem,
                "contender": name,
                "precision": precision,
                "seconds": spread([turn["seconds"] for turn in turns]),
                "times bare": ratio(turns, bare, "seconds"),
                "processor seconds": spread([turn["processor"] for turn in turns]),
                "times bare's": ratio(turns, bare, "processor"),
                "of the matrix peak": spread(shares, digits=2),
                "peak memory, GB": f"{turns[-1]['peak'] / 1e9:.2f}",
                "times bare's memory": f"{turns[-1]['peak'] / bare[-1]['peak']:.2f}",
            }
        )
    return found


def main() -> None:
    native = ["float32", *(["bfloat16"] if cpu_has_bfloat16() else [])]
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--weights", nargs="+", default=["compact", *([str(REAL)] if REAL.is_file() else [])])
    parser.add_argument("--backends", nargs="+", default=["torch", "keras"])
    parser.add_argument("--precisions", nargs="+", default=native)
    parser.add_argument("--work", nargs=5, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        *words, size = arguments.work
        work(*words, int(size))
        return
    size, precisions = arguments.size, ["float32", *(each for each in arguments.precisions if each != "float32")]
    pairs = [(framework, file) for framework in arguments.backends for file in arguments.weights]
    found = {pair: measure(*pair, size, arguments.rounds, precisions) for pair in pairs}
    raw = {
        f"{framework} {Path(file).stem}": {" ".join(each): turns for each, turns in figures.items()}
        for (framework, file), figures in found.items()
    }
    publish("step", [row for pair, figures in found.items() for row in rows(*pair, size, figures)], raw)


if __name__ == "__main__":
    main()
