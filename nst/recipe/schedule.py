"""Plan the sizes of a run, and the number of steps at each size."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import TypeVar

from nst.geometry import Layer, smallest_size
from nst.recipe.recipe import Recipe

T = TypeVar("T")

COARSEST = 128  # pixels: below, VGG's deepest layers see too little of the picture to place anything
GROWTH = math.sqrt(2)

DEFAULT_STEPS = (50, 30, 25, 20, 20)  # at the coarsest sizes; the last for every finer one


def plan_sizes(
    recipe: Recipe, height: int, width: int, layers: Iterable[Layer]
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes and the steps at each size, for a content of this shape in pixels and the layers in use."""
    sizes = recipe.sizes or pyramid(recipe.size, smallest_size((height, width), layers))[-recipe.levels :]
    if len(recipe.steps) == len(sizes):
        return sizes, recipe.steps
    usual = [DEFAULT_STEPS[min(level, len(DEFAULT_STEPS) - 1)] for level in range(len(sizes))]
    return sizes, share_out(recipe.steps[0], usual) if recipe.steps else tuple(usual)


def schedule_note(old: Recipe, new: Recipe) -> str:
    """Return a message if the `sizes` of a recipe were adapted to a new `size` or `levels`, else ""."""
    if not old.sizes or new.sizes == old.sizes:
        return ""
    sizes, steps = (",".join(map(str, numbers)) for numbers in (old.sizes, old.steps))
    if new.sizes:
        kept = f"; its steps stay {steps}" if steps and new.steps == old.steps else ""
        return f"the recipe's sizes {sizes} are scaled to {','.join(map(str, new.sizes))}{kept}"
    kept = f"; its {sum(old.steps)} steps are shared out" if steps and sum(new.steps) == sum(old.steps) else ""
    return f"the recipe's sizes {sizes} are replaced by --levels {new.levels}{kept}"


def per_size(items: Sequence[T], sizes: int) -> tuple[T, ...]:
    """Return a value for each size: the last value for the last size, the first for all sizes left over."""
    return (items[0],) * (sizes - len(items) + 1) + tuple(items[1:])


def pyramid(size: int, smallest: int = 1) -> tuple[int, ...]:
    """Return long sides in pixels, growing by a factor of sqrt 2 up to `size`, none below `smallest`."""
    floor = max(COARSEST, smallest)
    sizes = [size]
    while (finer := round(size / GROWTH ** len(sizes))) >= floor:
        sizes.append(finer)
    return tuple(reversed(sizes))


def share_out(total: int, weights: Sequence[float]) -> tuple[int, ...]:
    """Share `total` steps in proportion to `weights`, at least one each, even if the sum then exceeds `total`."""
    ends = [0]
    for i in range(len(weights)):
        end = round(total * sum(weights[: i + 1]) / sum(weights))
        latest = total - (len(weights) - i - 1)  # leaves one step for each that follows
        ends.append(max(ends[-1] + 1, min(end, latest)))
    return tuple(end - start for start, end in pairwise(ends))
