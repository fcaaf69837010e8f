"""The input of the engine, as objects, and the objective of the image at one of its sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from nst.engine.bleed import BleedCanvas
from nst.engine.masks import Mask
from nst.engine.matching import matched_terms
from nst.engine.objective import build_objective
from nst.engine.terms import Region, Term, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import cut
from nst.errors import NstError
from nst.images import fit
from nst.protocols import FeatureBackend, Objective, Optimizer, Pixels

PROTECTED_WEIGHT = 20.0  # the content loss weighs this many times more where the content is protected


@dataclass(frozen=True)
class Level:
    """One size of a run: long side in pixels, steps, backend, and the tile size if the problem's `tile` is 0."""

    size: int
    steps: int
    backend: FeatureBackend
    tile: int = 0


@dataclass(frozen=True)
class Problem:
    """The input of the engine: images, backends, losses and the optimizer of one run.

    `levels` go from coarse to fine; `start` is the initial image. `style` losses compare the image with the regions'
    styles, `pointwise` losses with the content. `average` is the decay of the running mean of the images: above 0 the
    mean is the result, otherwise the image of the lowest loss. `tile` is the side of the tiles in pixels, 0 for the
    whole image until memory runs out, None for no tiles at all. `protect` `(H, W)`, 0..1, is 1 where the content weighs
    more. With `carries` the optimizer's state is resized and used at the next size. A size ends when its last steps
    lowered the loss by less than the share `until`; 0 never ends a size. `bleed` is the width in pixels of the rim.
    `alpha` `(H, W)`, 0..1, is the opacity of the content: transparent parts are not compared. None is opaque.
    """

    levels: Sequence[Level]
    content: Pixels
    regions: Sequence[Region]
    start: Pixels
    style: Sequence[WeightedLoss]
    pointwise: Sequence[WeightedLoss]
    optimizer: Optimizer
    optimizer_options: Mapping[str, Any]
    average: float = 0.0
    tile: int | None = 0
    protect: Mask | None = None
    carries: bool = False
    until: float = 0.0
    bleed: int = 0
    alpha: Mask | None = None

    @property
    def matched(self) -> bool:
        """Whether a style loss is matched on the image that a level starts from."""
        return any(use.matched and use.weight for use in self.style)

    def canvas(self, level: Level) -> BleedCanvas:
        """Return the canvas of a level: the image with its rim."""
        height, width = self.content.shape[:2]
        return BleedCanvas.around(fit(height, width, level.size), self.bleed)


def build_level(problem: Problem, level: Level, tile: int = 0, image: Pixels | None = None) -> Objective:
    """Build the objective of a level, in tiles of `tile` pixels (0: the whole image). Raises `NstError`.

    `image` is what the level starts from, for losses that match it with the styles; None at the first level.
    """
    canvas, style, pointwise = problem.canvas(level), _used(problem.style), _used(problem.pointwise)
    for use in style:
        if use.whole and tile:
            raise NstError(f"'{use.name}' cannot be computed in tiles", "choose another --style-loss, or --tile off")
        if use.whole and any(region.mask is not None for region in problem.regions):
            raise NstError(f"'{use.name}' does not work with masks", "choose another --style-loss, or no masks")
    tiles = cut(canvas.shape, tile, [layer for use in (*style, *pointwise) for layer in use.layers])
    content = canvas.spread(problem.content)
    regions = [region.at(canvas, level.size) for region in problem.regions]
    alpha = None if problem.alpha is None else canvas.spread(problem.alpha)
    terms: list[Term] = []
    for use, region in product(style, regions):
        opaque = region if use.whole else region.within(alpha)
        if use.matched:
            terms += matched_terms(level.backend, use, opaque, (content, image), tiles, tile)
        else:
            terms += style_terms(level.backend, use, opaque, tiles, tile)
    content_weights = None if problem.protect is None else 1 + PROTECTED_WEIGHT * canvas.spread(problem.protect)
    for use in pointwise:
        opacity = alpha if use.targeted else None
        weights = _product(opacity, content_weights if use.is_content else None)
        terms += pointwise_terms(level.backend, use, content, tiles, weights, opacity)
    return build_objective(level.backend, terms, tiles)


def _used(uses: Sequence[WeightedLoss]) -> list[WeightedLoss]:
    return [use for use in uses if use.weight]


def _product(one: Mask | None, other: Mask | None) -> Mask | None:
    """Return the product of two masks; None is 1 everywhere."""
    return other if one is None else one if other is None else one * other
