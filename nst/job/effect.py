"""Find out whether a run had the effect that its settings ask for.

A run may end without an error, and still return the photograph or a sheet of one color. Each warning names the reason.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from nst import images
from nst.errors import NstError
from nst.images import Picture, transparency
from nst.job import regions
from nst.job.inputs import Inputs
from nst.protocols import Pixels
from nst.recipe.recipe import Recipe

FLAT = 2 / 255
"""The standard deviation of colors below which an image is one color."""

FEWEST = 64
"""The number of pixels below which a region is too small for strokes."""

UNCHANGED = 0.1 / 255
"""The mean difference from the content below which an image is the content."""

CONSTANT = 1e-3
"""The share by which the loss must fall."""

NEGLIGIBLE = 1e-6
"""The share of the loss below which a term has no effect on the image."""


def require_steps(recipe: Recipe, inputs: Inputs, shape: tuple[int, int]) -> None:
    """Raise `NstError` for a run that accepted no step, unless the whole image is protected."""
    if any(area for _, area in _areas(inputs, recipe, shape)):
        weights = f"the style weight is {recipe.style_weight:g}, the content weight {recipe.content_weight:g}"
        hint = f"{weights}: use weights closer to each other, or another optimizer"
        raise NstError("no step was accepted: the optimizer could not lower the loss of the initial image", hint)


def find_warnings(inputs: Inputs, recipe: Recipe, pixels: Pixels, history: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return a message for each setting or image without the usual effect on the result `pixels` `(H, W, 3)`.

    `history` has the terms of the loss at each step.
    """
    return [
        *_flat_styles(inputs),
        *_small_regions(inputs, recipe, (pixels.shape[0], pixels.shape[1])),
        *_negligible_terms(recipe, history[-1]["terms"] if history else {}),
        *_constant_loss(history),
        *_result(inputs, pixels),
    ]


def _flat_styles(inputs: Inputs) -> Iterator[str]:
    for image in inputs.style_images():
        if _is_flat(image):
            yield f"{image.source or 'a style image'} is one color: it has no strokes to paint with"


def _small_regions(inputs: Inputs, recipe: Recipe, shape: tuple[int, int]) -> Iterator[str]:
    height, width = shape
    for name, area in _areas(inputs, recipe, shape):
        if area < FEWEST:
            part = f"the mask {name}" if name else "the part that is neither masked nor protected"
            yield f"{part} covers {area:.0f} of {height * width} pixels: too few for strokes"


def _areas(inputs: Inputs, recipe: Recipe, shape: tuple[int, int]) -> Iterator[tuple[str, float]]:
    """Yield each region's name and its area in pixels of the result."""
    for region in regions.regions(inputs, recipe):
        mask = np.ones(shape, np.float32) if region.mask is None else images.resize(region.mask, shape)
        yield region.name, float(mask.sum())


def _negligible_terms(recipe: Recipe, terms: Mapping[str, float]) -> Iterator[str]:
    total = sum(terms.values())
    for role, loss in ("style", recipe.style_loss), ("content", recipe.content_loss):
        own = [value for name, value in terms.items() if name.partition(" ")[0] == loss]
        if own and sum(own) < NEGLIGIBLE * total:
            yield f"the {role} loss is less than a millionth of the loss: it has no effect on the picture"


def _constant_loss(history: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Yield a warning if the loss fell at no size, of those with several steps."""
    losses = [[row["loss"] for row in history if row["size"] == size] for size in {row["size"] for row in history}]
    falls = [1 - min(values) / values[0] for values in losses if len(values) > 1 and values[0]]
    if falls and max(falls) < CONSTANT:
        yield "the loss fell by less than a thousandth: the steps of the optimizer had no effect on the picture"


def _result(inputs: Inputs, pixels: Pixels) -> Iterator[str]:
    content = images.resize(inputs.content.pixels, (pixels.shape[0], pixels.shape[1]))
    if _spread(pixels) < FLAT <= _spread(content):
        yield "the result is one color"
    elif np.abs(pixels - content).mean() < UNCHANGED:
        yield "the result equals the photograph"


def _is_flat(image: Picture) -> bool:
    return _spread(transparency.visible(image)) < FLAT


def _spread(pixels: Pixels) -> float:
    """Return the largest standard deviation of the three channels."""
    return float(pixels.std(axis=(0, 1)).max())
