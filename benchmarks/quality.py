"""How good the pictures of slim networks are, judged by the full one: the style's distance at equal content.

    python benchmarks/quality.py compact other.safetensors --judge vgg19.safetensors --pair photo.jpg art.jpg …

Each network paints every pair at several content weights. The judge measures every picture: the mean over relu1_1 to
relu5_1 of |G - Gs|² / |Gs|², and |f - fc|² / |fc|² at relu4_2. More content means less style, so the style's distance
is read off at the content distance of the judge's own picture with the middle weight, linearly in logarithms.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import numpy as np
from step import REAL
from table import publish

from nst import Recipe, images, stylize, weights
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.metrics import CONTENT_LAYER, STYLE_LAYERS
from nst.network import Network
from nst.protocols import Pixels
from nst_torch.vgg import VGG

Point = dict[str, float]


def source(name: str) -> weights.NeutralFile:
    return weights.COMPACT if name == "compact" else weights.NeutralFile(name)


def judge(network: Network, picture: Pixels, content: Pixels, style: Pixels) -> Point:
    """`content`, `style` and the style's distance by layer."""
    backend = VGG(network, device="cpu")
    xp, layers = backend.xp, (*STYLE_LAYERS, CONTENT_LAYER)
    found, held, wanted = (backend.features(backend.asarray(pixels), layers) for pixels in (picture, content, style))
    gram, same = Gram(), Content()
    grams = [[gram.statistic(xp, features[layer], None) for features in (found, wanted)] for layer in STYLE_LAYERS]
    point = {layer: float(gram.distance(xp, *pair)) for layer, pair in zip(STYLE_LAYERS, grams, strict=True)}
    change = float(xp.mean(same.difference(xp, found[CONTENT_LAYER], held[CONTENT_LAYER])))
    energy = float(xp.mean(same.energy(xp, held[CONTENT_LAYER])))
    return {"style": fmean(point.values()), "content": change / energy, **point}


def picture(name: str, size: int) -> Pixels:
    pixels = images.load_image(name)
    return np.ascontiguousarray(images.resize(pixels, images.fit(*pixels.shape[:2], size)))


def painted(file: str, pair: Sequence[str], size: int, steps: int, content_weight: float, by: Network) -> Point:
    content, style = (picture(name, size) for name in pair)
    recipe = Recipe(size=size, levels=1, steps=(steps,), content_weight=content_weight, weights=file, device="cpu")
    return judge(by, stylize(content, [style], recipe).pixels, content, style)


def at(content: float, points: Sequence[Point], name: str) -> float:
    """A distance where the content's is as given: between two points, or beyond the last two along their line."""
    ordered = sorted(points, key=lambda point: point["content"])
    x, y = (np.log([point[each] for point in ordered]) for each in ("content", name))
    low = int(np.clip(np.searchsorted(x, np.log(content)) - 1, 0, len(x) - 2))
    slope = (y[low + 1] - y[low]) / (x[low + 1] - x[low])
    return float(np.exp(y[low] + slope * (np.log(content) - x[low])))


def row(file: str, pair: Sequence[str], points: Sequence[Point], own: Sequence[Point]) -> dict[str, str]:
    middle = own[len(own) // 2]
    style, deepest = (at(middle["content"], points, name) for name in ("style", STYLE_LAYERS[-1]))
    return {
        "pair": " × ".join(Path(name).stem for name in pair),
        "network": Path(file).stem,
        "style": f"{style:.3f}",
        "times the judge's": f"{style / middle['style']:.2f}",
        "relu5_1": f"{deepest:.2f}",
        "at content": f"{middle['content']:.2f}",
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("networks", nargs="*", default=["compact"])
    parser.add_argument("--judge", default=str(REAL))
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    parser.add_argument("--size", type=int, default=192)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--content-weights", default="3,10,30")
    given = parser.parse_args()
    full, choices = source(given.judge).load(), [float(weight) for weight in given.content_weights.split(",")]
    files = [given.judge, *(str(source(name).path()) for name in given.networks)]
    raw = {
        json.dumps([file, pair]): [painted(file, pair, given.size, given.steps, weight, full) for weight in choices]
        for pair in given.pair
        for file in files
    }
    tables = [
        row(file, pair, raw[json.dumps([file, pair])], raw[json.dumps([given.judge, pair])])
        for pair in given.pair
        for file in files
    ]
    publish("quality", tables, raw)


if __name__ == "__main__":
    main()
