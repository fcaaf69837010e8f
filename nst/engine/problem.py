"""Everything one picture needs, as objects, and what is asked of the image at one of its sizes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from nst.engine.bleed import BleedCanvas
from nst.engine.masks import Mask
from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import cut
from nst.errors import NstError
from nst.images import fit
from nst.protocols import FeatureBackend, Objective, Optimizer, Pixels

PROTECTION = 20.0  # how many times more the content weighs where it is protected


@dataclass(frozen=True)
class Level:
    """One size of a run: its long side in pixels, its steps, the network asked, and its tiles where the task says 0."""

    size: int
    steps: int
    backend: FeatureBackend
    tile: int = 0


@dataclass(frozen=True)
class Problem:
    """Everything one picture needs, as objects.

    `levels` go from coarse to fine; `start` is the first image. `style` losses are drawn towards the regions' styles,
    `pointwise` ones towards the content. `average` is the share of the running mean of the images that each step keeps:
    above 0 the mean is the result, and not the image of the lowest loss. `tile` is the side in pixels of the tiles to
    compute in, 0 for the whole image until memory runs out, None for the whole image come what may. `protect` `(H, W)`,
    0..1, says where the content is held on to more firmly. `carries` hands the optimizer's state from one size to the
    next, resized. `until` ends a size where its last steps lowered the loss by less than this share; 0 never does.
    `bleed` are the pixels painted beyond each border, and cut off. `alpha` `(H, W)`, 0..1, says where the content is
    opaque: only there are styles and content compared. None is everywhere.
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

    def canvas(self, level: Level) -> BleedCanvas:
        """Return the canvas of a level: the picture with its rim."""
        height, width = self.content.shape[:2]
        return BleedCanvas.around(fit(height, width, level.size), self.bleed)


def build_level(task: Problem, level: Level, tile: int = 0) -> Objective:
    """Build the objective of a level, in tiles of `tile` pixels (0: the whole image)."""
    whole, style, pointwise = task.canvas(level), _used(task.style), _used(task.pointwise)
    for use in style:
        if use.whole and tile:
            raise NstError(f"'{use.name}' cannot be computed in tiles", "choose another --style-loss, or --tile off")
        if use.whole and any(region.mask is not None for region in task.regions):
            raise NstError(f"'{use.name}' does not work with masks", "choose another --style-loss, or no masks")
    tiles = cut(whole.shape, tile, [layer for use in (*style, *pointwise) for layer in use.layers])
    content = whole.spread(task.content)
    regions = [region.at(whole, level.size) for region in task.regions]
    hold = None if task.protect is None else 1 + PROTECTION * whole.spread(task.protect)
    alpha = None if task.alpha is None else whole.spread(task.alpha)
    shown = [region.within(alpha) for region in regions]
    terms = [
        term
        for use in style
        for region in (regions if use.whole else shown)
        for term in style_terms(level.backend, use, region, tiles, tile)
    ]
    for use in pointwise:
        seen = alpha if use.targeted else None
        held = hold if use.protects else None
        weights = held if seen is None else seen if held is None else seen * held
        terms += pointwise_terms(level.backend, use, content, tiles, weights, seen)
    return build_objective(level.backend, terms, tiles)


def _used(uses: Sequence[WeightedLoss]) -> list[WeightedLoss]:
    return [use for use in uses if use.weight]
