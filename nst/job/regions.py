"""Inputs and a recipe made into the regions the engine paints, and what they leave of the content."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from nst import images
from nst.engine.masks import Mask
from nst.engine.terms import Region
from nst.images import color_transfer
from nst.job.inputs import Inputs, Style
from nst.job.validation import each_scale
from nst.protocols import Pixels
from nst.recipe.recipe import Recipe


def regions(inputs: Inputs, recipe: Recipe) -> list[Region]:
    """The parts of the picture and what each is painted like, the whole or its rest first.

    Styles are colored as the recipe says; a style's share is shared out over its works.
    """
    rest, masks = _masks(inputs)
    works = _works(inputs, recipe)
    found = []
    if inputs.styles:
        found.append(_region(inputs.styles, recipe.style_blend, works, rest, ""))
    for patch, mask in zip(inputs.patches, masks, strict=True):
        found.append(_region(patch.styles, (), works, mask, patch.name))
    return found


def start(parts: Sequence[Region], content: Pixels, make: Callable[[Sequence[Pixels]], Pixels]) -> Pixels:
    """What `make` makes of each region's styles, where that region is; the content where none is. Shapes are alike."""
    if all(part.mask is None for part in parts):
        return make([style for part in parts for style in _counted(part)])
    masks = [images.resize(part.mask, _shape(content))[..., None] for part in parts if part.mask is not None]
    rest = np.clip(1 - sum(masks), 0, None)
    mixed = rest * content + sum(mask * make(_counted(part)) for mask, part in zip(masks, parts, strict=True))
    return (mixed / (rest + sum(masks))).astype(np.float32)


def _counted(part: Region) -> list[Pixels]:
    return [style for style, share in zip(part.styles, part.blend, strict=True) if share]


def finished(inputs: Inputs, recipe: Recipe, pixels: Pixels) -> Pixels:
    """The painted picture in the colors the recipe wants; where no style was given for, the content itself."""
    painted = color_transfer.finished(recipe.color, pixels, inputs.content.pixels)
    if inputs.styles:
        return painted
    shape = _shape(pixels)
    cover = np.clip(sum(images.resize(patch.mask, shape) for patch in inputs.patches), 0, 1)[..., None]
    mixed: Pixels = (cover * painted + (1 - cover) * images.resize(inputs.content.pixels, shape)).astype(np.float32)
    return mixed


def masked(inputs: Inputs) -> list[float]:
    """Of each region that has a mask the part of the picture that its bounds take up; the rest may be anywhere."""
    rest = [1.0] if inputs.styles and (inputs.patches or inputs.protect is not None) else []
    return rest + [_bounds(patch.mask) for patch in inputs.patches]


def _bounds(mask: Mask) -> float:
    sides = [np.flatnonzero(mask.any(axis=axis)) for axis in (0, 1)]
    return float(np.prod([side[-1] + 1 - side[0] for side in sides])) / mask.size


def protected(inputs: Inputs) -> Mask | None:
    """Where to hold on to the content, at its size."""
    return None if inputs.protect is None else images.resize(inputs.protect, _shape(inputs.content.pixels))


def _masks(inputs: Inputs) -> tuple[Mask | None, list[Mask]]:
    """Where the styles of the whole count, None for everywhere, and those of each patch: nowhere that is protected."""
    shape, held = _shape(inputs.content.pixels), protected(inputs)
    patches = [images.resize(patch.mask, shape) for patch in inputs.patches]
    rest = np.clip(1 - sum(patches), 0, 1).astype(np.float32) if patches else None
    if held is None:
        return rest, patches
    return 1 - held if rest is None else rest * (1 - held), [patch * (1 - held) for patch in patches]


def _works(inputs: Inputs, recipe: Recipe) -> Iterator[tuple[Pixels, float]]:
    """Every work to paint like, colored as the recipe says, and its size relative to the picture."""
    styles = inputs.every_style()
    scales = zip(styles, each_scale(recipe.style_scale, len(styles)), strict=True)
    sizes = [scale for style, scale in scales for _ in style.works]
    painted = color_transfer.prepared(recipe.color, [work.pixels for work in inputs.works()], inputs.content.pixels)
    return iter(zip(painted, sizes, strict=True))


def _region(
    styles: Sequence[Style],
    blend: Sequence[float],
    works: Iterator[tuple[Pixels, float]],
    mask: Mask | None,
    name: str,
) -> Region:
    """A region of `styles`, which takes its works from those that are left."""
    parts = list(zip(styles, blend or (1.0,) * len(styles), strict=True))
    total = sum(part for _, part in parts)
    shares = [part / total / len(style.works) for style, part in parts for _ in style.works]
    pixels, scales = zip(*(next(works) for _ in shares), strict=True)
    return Region(pixels, shares, mask, name, scales)


def _shape(pixels: Pixels) -> tuple[int, int]:
    return pixels.shape[0], pixels.shape[1]
