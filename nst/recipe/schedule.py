"""Which sizes a picture grows through, and how many steps each gets."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeVar

from nst.recipe.recipe import Recipe
from nst.vgg.architecture import smallest_size

T = TypeVar("T")

COARSEST = 128  # pixels: below, VGG's deepest layers see too little of the picture to place anything
GROWTH = math.sqrt(2)

DEFAULT_STEPS = (50, 30, 25, 20, 20)  # at the coarsest sizes; the last for every finer one


def plan(recipe: Recipe, height: int, width: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the sizes and the steps at each size, for a content of this shape in pixels."""
    sizes = recipe.sizes or pyramid(recipe.size, smallest_size((height, width), recipe.layers()))[-recipe.levels :]
    if len(recipe.steps) == len(sizes):
        return sizes, recipe.steps
    usual = [DEFAULT_STEPS[min(level, len(DEFAULT_STEPS) - 1)] for level in range(len(sizes))]
    return sizes, share_out(recipe.steps[0], usual) if recipe.steps else tuple(usual)


def per_size(items: Sequence[T], sizes: int) -> tuple[T, ...]:
    """One of the given for each size: the last for the last size, the first for all those that the others leave."""
    return (items[0],) * (sizes - len(items) + 1) + tuple(items[1:])


def pyramid(size: int, smallest: int = 1) -> tuple[int, ...]:
    """Long sides in pixels, coarse to fine by a factor of sqrt 2, ending at `size`, none under `smallest`."""
    floor = max(COARSEST, smallest)
    sizes = [size]
    while (finer := round(size / GROWTH ** len(sizes))) >= floor:
        sizes.append(finer)
    return tuple(reversed(sizes))


def share_out(total: int, weights: Sequence[float]) -> tuple[int, ...]:
    """`total` steps in proportion to `weights`, at least one each; more than `total` only to that end."""
    ends = [0]
    for i in range(len(weights)):
        end = round(total * sum(weights[: i + 1]) / sum(weights))
        latest = total - (len(weights) - i - 1)  # leaves one step for each that follows
        ends.append(max(ends[-1] + 1, min(end, latest)))
    return tuple(end - start for start, end in pairwise(ends))
