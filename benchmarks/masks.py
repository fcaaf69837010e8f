"""What regions cost: one evaluation with three masked regions, each with a style of its own, over one without masks.

    python benchmarks/masks.py [--size 256] [--rounds 25] [--weights compact vgg19.safetensors]

They take turns in one process, one evaluation each, and the ratio of processor times is taken turn by turn. The styles
are three of our own paintings. There are three layouts of masks, which cover the picture together: side by side with
soft edges, a disc in a ring in the rest, and each of them everywhere by a third.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from step import load
from table import publish, spread

from nst.engine.masks import Mask
from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import whole
from nst.images.demo_painting import paint_demo
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst_torch.vgg import VGG

LAYERS = {f"relu{block}_1": 0.2 for block in range(1, 6)}


def thirds(size: int) -> list[Mask]:
    """Three soft masks, from left to right, that sum to 1 everywhere."""
    place = np.linspace(0, 3, size, dtype=np.float32)
    ramps = [np.clip(4 * (place - edge) + 0.5, 0, 1) for edge in (1, 2)]
    parts = [1 - ramps[0], ramps[0] - ramps[1], ramps[1]]
    return [np.tile(part, (size, 1)).astype(np.float32) for part in parts]


def rings(size: int) -> list[Mask]:
    """Return a disc, a ring around it, and the rest."""
    y, x = np.mgrid[-1 : 1 : size * 1j, -1 : 1 : size * 1j]
    inner, outer = (np.clip(8 * (radius - np.hypot(x, y)) + 0.5, 0, 1).astype(np.float32) for radius in (0.4, 0.8))
    return [inner, outer - inner, 1 - outer]


def everywhere(size: int) -> list[Mask]:
    return [np.full((size, size), 1 / 3, np.float32)] * 3


LAYOUTS = {"side by side": thirds, "disc, ring, rest": rings, "everywhere": everywhere}
NONE = "none"


def regions(size: int, layout: str) -> list[Region]:
    masks = LAYOUTS[layout](size) if layout != NONE else [None]
    paintings = [paint_demo(size, size, seed=seed) for seed in range(1, len(masks) + 1)]
    return [
        Region([painting], [1.0], mask, str(i)) for i, (painting, mask) in enumerate(zip(paintings, masks, strict=True))
    ]


def evaluation(file: str, precision: str, size: int, layout: str) -> Callable[[], object]:
    backend = VGG(load(file), device="cpu", precision=precision)
    content, tiles = paint_demo(size, size, seed=9), whole((size, size))
    use = WeightedLoss("gram", Gram(), LAYERS, 100.0)
    terms = [term for region in regions(size, layout) for term in style_terms(backend, use, region, tiles)]
    terms += pointwise_terms(backend, WeightedLoss("content", Content(), {"relu4_2": 1.0}, 10.0), content, tiles)
    objective, image = build_objective(backend, terms, tiles), backend.asarray(content)
    return lambda: objective(image)


def turns(file: str, precision: str, size: int, rounds: int) -> dict[str, list[float]]:
    """Processor seconds of evaluations with each layout, in turn; the first two do not count."""
    evaluations = {layout: evaluation(file, precision, size, layout) for layout in (NONE, *LAYOUTS)}
    found: dict[str, list[float]] = {layout: [] for layout in evaluations}
    for _ in range(rounds + 2):
        for layout, evaluate in evaluations.items():
            began = time.process_time()
            evaluate()
            found[layout].append(time.process_time() - began)
    return {layout: times[2:] for layout, times in found.items()}


def ratio(times: Sequence[float], without: Sequence[float]) -> str:
    """Return the median with its quartiles."""
    low, middle, high = np.percentile(np.divide(times, without), [25, 50, 75])
    return f"{middle:.2f} ({low:.2f}–{high:.2f})"


def row(file: str, precision: str, times: dict[str, list[float]]) -> dict[str, str]:
    ratios = {layout: ratio(times[layout], times[NONE]) for layout in LAYOUTS}
    return {
        "weights": Path(file).stem,
        "precision": precision,
        "without masks, processor seconds": spread(times[NONE]),
        **ratios,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=25)
    parser.add_argument("--weights", nargs="+", default=["compact"])
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    given = parser.parse_args()
    found = {
        (file, precision): turns(file, precision, given.size, given.rounds)
        for file in given.weights
        for precision in given.precisions
    }
    raw = {f"{Path(file).stem} {precision}": times for (file, precision), times in found.items()}
    publish("masks", [row(*each, times) for each, times in found.items()], raw)


if __name__ == "__main__":
    main()
