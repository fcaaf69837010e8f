"""Judged pictures against the time they take: every contender on every pair, at several holds on the content.

    python benchmarks/quality.py FOLDER --pair photo.jpg art.jpg … [--contender "NAME=OPTIONS OF NST STYLIZE" …]

Each picture is one `nst stylize` on one thread, in a process of its own, whose processor time and peak memory count,
start-up included. It is kept as FOLDER/<pair>/<contender>@<content weight>.png, and what is there is not made again.
Another program's picture, put there as <program>.png beside a <program>.json of `seconds` and `peak` (bytes), is judged
like ours. More content means less style: style is compared where the content's distance is equal, between two points of
a contender's front, linearly in logarithms.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import geometric_mean

import numpy as np
from plot import Mark, draw
from step import REAL
from table import publish

from nst import images
from nst.compare.metrics import STYLE_LAYERS, Evaluator
from nst.losses.total_variation import TotalVariation
from nst.protocols import Pixels
from nst.recipe.recipe import Recipe
from nst.vgg.network import Network
from nst.weights import selection

CONTENDERS = {
    "quick": "--preset quick",
    "compact": "--weights compact",
    "mixed": "--weights compact,{full}",
    "full": "--weights {full}",
    "gatys": "--preset gatys --weights {full}",
}
MIDDLE = Recipe.content_weight
Point = dict[str, float]
Front = list[Point]


def paint(pair: Sequence[str], options: str, weight: str, size: int, file: Path) -> None:
    """`file`, and beside it its processor seconds and its peak memory in bytes."""
    command = [sys.executable, "-m", "nst", "stylize", *pair, "-o", str(file), "--size", str(size)]
    command += ["--device", "cpu", "--content-weight", weight, *shlex.split(options)]
    quiet = [(os.POSIX_SPAWN_OPEN, 2, os.devnull, os.O_WRONLY, 0)]
    child = os.posix_spawn(sys.executable, command, os.environ | {"OMP_NUM_THREADS": "1"}, file_actions=quiet)
    _, status, used = os.wait4(child, 0)
    if status:
        raise SystemExit(f"failed: {shlex.join(command)}")
    file.with_suffix(".json").write_text(
        json.dumps({"seconds": used.ru_utime + used.ru_stime, "peak": used.ru_maxrss * 1024})
    )


def judged(network: Network, pair: Sequence[str], size: int, folder: Path) -> dict[str, Front]:
    """Every picture in the folder that has its figures, by contender."""
    content, style = (images.load_image(name) for name in pair)
    judge, found = Evaluator(network, content, [style], size=size), dict[str, Front]()
    noise = max(variation(content, size), variation(style, size))
    for file in sorted(folder.glob("*.json")):
        name, _, weight = file.stem.partition("@")
        judgement = asdict(judge(images.load_image(file.with_suffix(".png"))))
        layers = judgement.pop("style")
        point = judgement | layers | json.loads(file.read_text()) | {"weight": float(weight or MIDDLE)}
        point["noise"] = point["total_variation"] / noise
        found.setdefault(name, []).append(point)
    return found


def variation(pixels: Pixels, size: int) -> float:
    """Return a picture's own total variation at this long side, as the evaluator measures it."""
    small = images.resize(pixels, images.fit(*pixels.shape[:2], size))
    return float(np.mean(TotalVariation().difference(np, small, small)))


def middle(front: Front) -> Point:
    return min(front, key=lambda point: abs(np.log(point["weight"] / MIDDLE)))


def at(content: float, front: Front, name: str = "style_mean") -> float:
    """Return the style distance at a given content distance: between two points, or on the line of the last two."""
    if len(front) == 1:
        return front[0][name]
    ordered = sorted(front, key=lambda point: point["content"])
    x, y = (np.log([point[each] for point in ordered]) for each in ("content", name))
    low = int(np.clip(np.searchsorted(x, np.log(content)) - 1, 0, len(x) - 2))
    slope = (y[low + 1] - y[low]) / (x[low + 1] - x[low])
    return float(np.exp(y[low] + slope * (np.log(content) - x[low])))


def rows(pair: str, fronts: Mapping[str, Front], reference: str) -> Iterator[dict[str, str]]:
    """Each contender beside the reference's front where the contents are equally far."""
    for name, front in sorted(fronts.items(), key=lambda each: middle(each[1])["seconds"]):
        point, own = middle(front), middle(fronts[reference])
        theirs = at(point["content"], fronts[reference])
        yield {
            "pair": pair,
            "contender": name,
            "processor seconds": f"{point['seconds']:.1f}",
            "times as long": f"{point['seconds'] / own['seconds']:.2f}",
            "peak memory, GB": f"{point['peak'] / 1e9:.2f}",
            "style": f"{point['style_mean']:.3f}",
            "content": f"{point['content']:.2f}",
            f"{reference}'s style there": f"{theirs:.3f}",
            "times that": f"{point['style_mean'] / theirs:.2f}",
            STYLE_LAYERS[-1]: f"{point[STYLE_LAYERS[-1]]:.2f}",
            "total variation": f"{point['noise']:.2f}",
        }


def picture(found: Mapping[str, Mapping[str, Front]], reference: str) -> str:
    """Time against style at equal content, in geometric means over the pairs; and the first pair's fronts."""
    names = {name for fronts in found.values() for name in fronts}
    times = []
    for name in sorted(names):
        pairs = [fronts for fronts in found.values() if name in fronts]
        seconds = geometric_mean(middle(fronts[name])["seconds"] for fronts in pairs)
        style = geometric_mean(
            middle(fronts[name])["style_mean"] / at(middle(fronts[name])["content"], fronts[reference])
            for fronts in pairs
        )
        times.append(Mark(name, [(seconds, style)]))
    fronts = [
        Mark(
            name, [(point["content"], point["style_mean"]) for point in sorted(front, key=lambda each: each["content"])]
        )
        for name, front in sorted(next(iter(found.values())).items())
    ]
    return draw(
        [
            (f"style, times {reference}'s at equal content", "processor seconds", times),
            ("style", f"content: {next(iter(found))}", fronts),
        ]
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pair", nargs=2, action="append", required=True, metavar=("CONTENT", "STYLE"))
    parser.add_argument("--contender", action="append", default=[], metavar="NAME[=OPTIONS]")
    parser.add_argument("--content-weights", default="5,20,80")
    parser.add_argument("--full", default=str(REAL), help="VGG-19 in the neutral format: the judge, and {full}")
    parser.add_argument("--reference", default="full", metavar="CONTENDER")
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--plot", type=Path, help="an SVG to write")
    given = parser.parse_args()
    chosen = dict(each.partition("=")[::2] for each in given.contender) or CONTENDERS
    network, found = selection.NeutralFile(given.full).load(), dict[str, dict[str, Front]]()
    for pair in given.pair:
        name = " × ".join(Path(file).stem for file in pair)
        folder = given.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        for contender, options in chosen.items():
            for weight in given.content_weights.split(","):
                file = folder / f"{contender}@{weight}.png"
                if not file.with_suffix(".json").exists():
                    paint(pair, (options or CONTENDERS[contender]).format(full=given.full), weight, given.size, file)
        found[name] = judged(network, pair, given.size, folder)
    publish("quality", [row for pair, fronts in found.items() for row in rows(pair, fronts, given.reference)], found)
    if given.plot:
        given.plot.write_text(picture(found, given.reference))


if __name__ == "__main__":
    main()
