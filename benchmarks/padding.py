"""What lies around the picture in every layer: what each choice of `padding` does to its borders, style, content, time.

    python benchmarks/padding.py --pair photo.jpg art.jpg … [--weights compact vgg19.safetensors] [--keep FOLDER]

A padding that the network can see paints a frame: lines along the border where there are none in the photograph. Three
figures of the outer 16 pixels, each 1 for a border like any other part of the picture:

- `energy`: what was changed of the photograph, squared, over the same inside;
- `frame`: the change averaged along each of the four sides, which lines survive and strokes do not, and of that the
  squared steps from row to row, over those of the next 16 rows;
- `grain`: squared differences of neighboring pixels over those inside, divided by the photograph's own ratio.

Style and content are judged by the full VGG-19 with zeros around, as it was trained: the mean over relu1_1 to relu5_1
of |G - Gs|² / |Gs|², and |f - fc|² / |fc|² at relu4_2. The style is judged with mirrored edges too: a judge sees
borders as it pads. Processor time is taken turn by turn, one evaluation each, and so is its ratio to zeros'.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
from step import REAL, load
from table import publish, spread

from nst import Recipe, images, stylize
from nst.compare.metrics import CONTENT_LAYER, STYLE_LAYERS
from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import whole
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.protocols import Pixels
from nst.vgg.network import Network
from nst_torch.vgg import PADDINGS, VGG

OUTER = 16  # pixels
TOLD = ("energy", "frame", "grain", "style", "style, mirrored", "content")


def picture(name: str, size: int) -> Pixels:
    pixels = images.load_image(name)
    return np.ascontiguousarray(images.resize(pixels, images.fit(*pixels.shape[:2], size)))


def judge(network: Network, padding: str, found: Pixels, content: Pixels, style: Pixels) -> tuple[float, float]:
    """Return the distances from the style and from the content."""
    backend = VGG(network, device="cpu", padding=padding)
    xp, layers = backend.xp, (*STYLE_LAYERS, CONTENT_LAYER)
    ours, held, wanted = (backend.features(backend.asarray(pixels), layers) for pixels in (found, content, style))
    grams = [[Gram().statistic(xp, each[layer], None) for each in (ours, wanted)] for layer in STYLE_LAYERS]
    change = float(xp.mean(Content().difference(xp, ours[CONTENT_LAYER], held[CONTENT_LAYER])))
    energy = float(xp.mean(Content().energy(xp, held[CONTENT_LAYER])))
    return fmean(float(Gram().distance(xp, *pair)) for pair in grams), change / energy


def borders(found: Pixels, content: Pixels) -> dict[str, float]:
    """`energy`, `frame` and `grain`."""
    added = found - content
    grain = _outer_over_inner(_steps(found)) / _outer_over_inner(_steps(content))
    return {"energy": _outer_over_inner(added**2), "frame": _frame(added), "grain": grain}


def _outer_over_inner(values: Pixels) -> float:
    inner = np.zeros(values.shape[:2], bool)
    inner[OUTER:-OUTER, OUTER:-OUTER] = True
    return float(values[~inner].mean() / values[inner].mean())


def _frame(added: Pixels) -> float:
    sides = [added, added[::-1], added.swapaxes(0, 1), added.swapaxes(0, 1)[::-1]]
    steps = np.mean([np.diff(side[: 2 * OUTER + 1].mean(axis=1), axis=0) ** 2 for side in sides], axis=(0, 2))
    return float(steps[:OUTER].mean() / steps[OUTER:].mean())


def _steps(pixels: Pixels) -> Pixels:
    return np.diff(pixels, axis=0)[:, :-1] ** 2 + np.diff(pixels, axis=1)[:-1] ** 2


def painted(file: str, padding: str, pair: Sequence[str], size: int, by: Network, folder: Path) -> dict[str, float]:
    """Return the measurements of one picture; stylize it unless it exists from an earlier run."""
    content, style = (picture(name, size) for name in pair)
    path = folder / f"{'-'.join(Path(name).stem for name in (*pair, file))}-{padding}.png"
    if not path.exists():
        recipe = Recipe(size=size, weights=file, padding=padding, bleed=0, device="cpu", precision="float32")
        images.write(path, stylize(content, [style], recipe).pixels)
    found = images.load_image(path)
    judged, kept = judge(by, "zero", found, content, style)
    mirrored, _ = judge(by, "reflect", found, content, style)
    return borders(found, content) | {"style": judged, "style, mirrored": mirrored, "content": kept}


def seconds(file: str, pair: Sequence[str], size: int, rounds: int) -> dict[str, list[float]]:
    """Processor seconds of single evaluations with each padding, taken in turn."""
    content, style = (picture(name, size) for name in pair)
    evaluations = {padding: _evaluation(file, padding, content, style) for padding in PADDINGS}
    found: dict[str, list[float]] = {padding: [] for padding in PADDINGS}
    for _ in range(rounds):
        for padding, evaluate in evaluations.items():
            began = time.process_time()
            evaluate()
            found[padding].append(time.process_time() - began)
    return {padding: times[1:] for padding, times in found.items()}


def _evaluation(file: str, padding: str, content: Pixels, style: Pixels) -> Any:
    backend = VGG(load(file), device="cpu", precision="float32", padding=padding)
    tiles = whole(content.shape[:2])
    gram = WeightedLoss("gram", Gram(), {f"relu{block}_1": 0.2 for block in range(1, 6)}, 100.0)
    terms = style_terms(backend, gram, Region([style], [1.0]), tiles)
    terms += pointwise_terms(backend, WeightedLoss("content", Content(), {"relu4_2": 1.0}, 10.0), content, tiles)
    objective, image = build_objective(backend, terms, tiles), backend.asarray(content)
    return lambda: objective(image)


def row(file: str, padding: str, figures: dict[str, Any]) -> dict[str, str]:
    """One line of the table: of each figure the mean over the pairs, with the extremes."""
    pictures, times = figures["pictures"][file][padding], figures["seconds"][file]
    ratios = [a / b for a, b in zip(times[padding], times["zero"], strict=True)]
    told = {name: [each[name] for each in pictures] for name in TOLD}
    means = {name: f"{fmean(each):.2f} ({min(each):.2f}–{max(each):.2f})" for name, each in told.items()}
    return {"weights": Path(file).stem, "padding": padding, **means, "times zeros' time": spread(ratios, digits=2)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    parser.add_argument("--weights", nargs="+", default=["compact"])
    parser.add_argument("--judge", default=str(REAL))
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--folder", type=Path, required=True, help="where the pictures are kept")
    given = parser.parse_args()
    by = load(given.judge)
    given.folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        file: {
            padding: [painted(file, padding, pair, given.size, by, given.folder) for pair in given.pair]
            for padding in PADDINGS
        }
        for file in given.weights
    }
    times = {file: seconds(file, given.pair[0], given.size, given.rounds) for file in given.weights}
    figures = {"pairs": given.pair, "pictures": pictures, "seconds": times}
    publish("padding", [row(file, padding, figures) for file in given.weights for padding in PADDINGS], figures)


if __name__ == "__main__":
    main()
