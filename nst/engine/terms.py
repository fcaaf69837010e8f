"""The terms of an objective: one loss at one layer, with its weight and its target.

Targets are computed once per size, tile by tile. The features of content and styles are freed afterwards. An image
without tiles is an image of one tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from nst.engine import answers
from nst.engine.bleed import BleedCanvas
from nst.engine.masks import Area, Mask, everywhere, inside, window
from nst.engine.ordinary import least_energies
from nst.engine.tiling import Tile, cut
from nst.geometry import IMAGE, Layer
from nst.images import fit, resize
from nst.protocols import FeatureBackend, MatchedLoss, Namespace, Pixels, PointwiseLoss, StatisticLoss, Tensor

TINY = 1e-12  # avoids a division by zero for a target without energy (a black image)


@dataclass(frozen=True)
class WeightedLoss:
    """A loss with its weight and its layers, each with a share; the shares sum to 1.

    A `whole` loss needs all positions at once, so it cannot be computed in tiles. A content loss (`is_content`) weighs
    more where the content is protected. A `targeted` loss compares with the content; others use the image alone. A
    `matched` loss chooses the target of each position itself, once per size.
    """

    name: str
    loss: StatisticLoss | PointwiseLoss | MatchedLoss
    layers: Mapping[Layer, float]
    weight: float
    whole: bool = False
    is_content: bool = False
    targeted: bool = True
    matched: bool = False


@dataclass(frozen=True)
class StyleTerm:
    """The distance of a statistic over an area of a layer from the statistic of the styles."""

    name: str
    layer: Layer
    loss: StatisticLoss
    weight: float
    target: Tensor
    area: Area


@dataclass(frozen=True)
class PointwiseTerm:
    """A difference at each position of a layer; `weight` is already divided by the target's energy.

    `targets` are the content's features over the rim of each tile: its core and the neighboring positions, which a
    difference may use. They are None for a loss that compares with nothing.
    """

    name: str
    layer: Layer
    loss: PointwiseLoss
    weight: float
    targets: Sequence[Tensor | None]
    area: Area


Term = StyleTerm | PointwiseTerm


@dataclass(frozen=True)
class TermForm:
    """A term without its numbers: equal for two pictures that differ in nothing but numbers.

    `identity` stands for `loss`, which need not be hashable. `window` is the bounding box (top, bottom, left, right) of
    a style term's mask in a whole picture.
    """

    name: str
    layer: Layer
    loss: Any = field(compare=False)
    identity: int
    is_style: bool
    targeted: bool
    weighted: bool
    window: tuple[int, int, int, int] | None = None

    @property
    def loss_name(self) -> str:
        """The name of the loss."""
        return self.name.partition(" ")[0]

    @property
    def rows(self) -> slice:
        """The rows of the window."""
        return slice(*self.window[:2]) if self.window else slice(None)

    @property
    def columns(self) -> slice:
        """The columns of the window."""
        return slice(*self.window[2:]) if self.window else slice(None)

    def statistic(self, xp: Namespace, features: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the statistic of features `(H, W, C)`, each position weighted by `weights` `(H, W)`, if given."""
        return self.loss.statistic(xp, features, weights)

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Compute the weighted distance of a statistic from a target, a scalar."""
        return weight * answers.distance(self.loss.distance(xp, statistic, target), self.loss_name)

    def differences(self, xp: Namespace, features: Tensor, target: Tensor, weight: Tensor) -> Tensor:
        """Compute the weighted difference `(H, W)` at each position of features `(H, W, C)`."""
        return weight * answers.difference(self.loss.difference(xp, features, target), features, self.loss_name)


def term_form(backend: FeatureBackend, term: Term) -> TermForm:
    """Return the form of a term."""
    is_style, weights = isinstance(term, StyleTerm), term.area.weights
    weighted = weights[0] is not None
    targeted = isinstance(term, StyleTerm) or term.targets[0] is not None
    box = window(backend, weights[0]) if is_style and weighted and len(weights) == 1 else None
    return TermForm(term.name, term.layer, term.loss, id(term.loss), is_style, targeted, weighted, box)


def scalar(backend: FeatureBackend, number: float) -> Tensor:
    """Return a number as an array without axes, where the backend computes."""
    return backend.asarray(np.array(number, np.float32))


@dataclass(frozen=True)
class Region:
    """A part of the image with its styles.

    `blend` are the shares of the styles, summing to 1; `scales` are their sizes relative to the image (default: 1).
    `mask` `(H, W)` is in 0..1, None for everywhere. The terms of the region carry `name`. `alphas` `(H, W)`, 0..1, are
    the opacities of the styles, None for opaque ones.
    """

    styles: Sequence[Pixels]
    blend: Sequence[float]
    mask: Mask | None = None
    name: str = ""
    scales: Sequence[float] = ()
    alphas: Sequence[Mask | None] = ()

    def at(self, canvas: BleedCanvas, long_side: int) -> Region:
        """Return the region on a canvas, with its styles at most `long_side` pixels times their scales."""
        mask = None if self.mask is None else canvas.spread(self.mask)
        scales = self.scales or [1.0] * len(self.styles)
        styles = [_shrink(style, long_side * scale) for style, scale in zip(self.styles, scales, strict=True)]
        alphas = [
            None if alpha is None else resize(alpha, _shape(style))
            for alpha, style in zip(self.alphas or [None] * len(styles), styles, strict=True)
        ]
        return replace(self, styles=styles, mask=mask, alphas=alphas)

    def within(self, alpha: Mask | None) -> Region:
        """Return the region without the transparent parts of the picture."""
        if alpha is None:
            return self
        return replace(self, mask=alpha if self.mask is None else alpha * self.mask)


def _shrink(style: Pixels, long_side: float) -> Pixels:
    """Resize the style to a long side of at most `long_side`; it is never enlarged, since that adds blur alone."""
    height, width = style.shape[:2]
    return resize(style, fit(height, width, round(min(long_side, max(height, width)))))


def style_terms(
    backend: FeatureBackend, use: WeightedLoss, region: Region, tiles: Sequence[Tile], style_tile: int = 0
) -> list[Term]:
    """Return one term per layer; its target is the mean of the styles' statistics, weighted by the region's blend.

    The statistics of a `whole` loss have no mean, so such a loss has one term per layer and style, each with its share
    of the weight. `tiles` cut the image; styles larger than `style_tile` pixels (0: no limit) are evaluated in tiles
    too. A region that covers a share of the image has that share of the loss's weight, so that a position counts
    equally in a small and in a large region.
    """
    name = f"{use.name} {region.name}".strip()
    areas = {layer: _area(backend, region.mask, tiles, layer) for layer in use.layers}
    terms: list[Term] = []
    for part, blend, targets in _targets(backend, use, region, style_tile):
        for layer, share in use.layers.items():
            area, label = areas[layer], f"{name} {part}{layer}"
            weight = use.weight * share * blend * area.part
            terms.append(StyleTerm(label, layer, use.loss, weight, targets[layer], area))  # type: ignore[arg-type]
    return terms


def _targets(
    backend: FeatureBackend, use: WeightedLoss, region: Region, style_tile: int
) -> Iterator[tuple[str, float, dict[Layer, Tensor]]]:
    """Yield a name, a share of the weight and a target per layer: one for all styles, or one for each."""
    size = 0 if use.whole else style_tile
    alphas = region.alphas if region.alphas and not use.whole else [None] * len(region.styles)
    blended: dict[Layer, Tensor] = {}
    for number, (style, alpha, share) in enumerate(zip(region.styles, alphas, region.blend, strict=True), start=1):
        statistics = _statistics(backend, use, style, alpha, size)
        if use.whole and len(region.styles) > 1:
            if share:
                yield f"style {number} ", share, statistics
        else:
            blended = {layer: blended.get(layer, 0.0) + share * value for layer, value in statistics.items()}
    if blended:
        yield "", 1.0, blended


def _area(backend: FeatureBackend, mask: Mask | None, tiles: Sequence[Tile], layer: Layer) -> Area:
    return everywhere(backend, tiles, layer) if mask is None else inside(backend, mask, tiles, layer)


def _statistics(
    backend: FeatureBackend, use: WeightedLoss, style: Pixels, alpha: Mask | None, size: int
) -> dict[Layer, Tensor]:
    """Return each layer's statistic of the style's opaque part, computed in tiles of `size` pixels (0: no tiles)."""
    image, tiles = backend.asarray(style), cut(_shape(style), size, use.layers)
    areas = {layer: _area(backend, alpha, tiles, layer) for layer in use.layers}
    areas = {layer: area if area.part else everywhere(backend, tiles, layer) for layer, area in areas.items()}
    statistics: dict[Layer, Tensor] = {}
    for i, tile in enumerate(tiles):
        features = extract(backend, image[tile.box], tuple(use.layers))
        for layer, area in areas.items():
            core = features.pop(layer)[tile.core(layer.stride)]
            value = area.shares[i] * use.loss.statistic(backend.xp, core, area.weights[i])  # type: ignore[union-attr]
            statistics[layer] = statistics[layer] + value if i else value
    return statistics


def pointwise_terms(
    backend: FeatureBackend,
    use: WeightedLoss,
    content: Pixels,
    tiles: Sequence[Tile],
    weights: Mask | None = None,
    alpha: Mask | None = None,
) -> list[Term]:
    """Return one term per layer; its targets are the content's features over the rim of each tile.

    `weights` `(H, W)` multiply the difference at each pixel; None is 1 everywhere. `alpha` `(H, W)`, 0..1, is the
    opacity of the content; transparent parts have no energy. The energy of a loss that compares features with the
    content's is at least a share of an ordinary photograph's.
    """
    image = backend.asarray(content)
    areas = {layer: _area(backend, alpha, tiles, layer) for layer in use.layers}
    energies, targets = dict.fromkeys(use.layers, 0.0), {layer: list[Tensor | None]() for layer in use.layers}
    deep = [layer for layer in use.layers if use.targeted and layer.name != IMAGE]
    least = least_energies(backend, use.loss, deep) if deep else {}  # type: ignore[arg-type]
    for i, tile in enumerate(tiles):
        features = extract(backend, image[tile.box], tuple(use.layers))
        for layer in use.layers:
            rim, area = features.pop(layer)[tile.rim(layer.stride)], areas[layer]
            energies[layer] += area.shares[i] * energy(backend.xp, use.loss, rim, tile, layer, area.weights[i])  # type: ignore[arg-type]
            # `1 *` copies the rim, so that the features around it can be freed.
            targets[layer].append(1 * rim if use.targeted else None)
    terms: list[Term] = []
    for layer, share in use.layers.items():
        area, weight = (
            everywhere(backend, tiles, layer),
            use.weight * share / max(energies[layer], least.get(layer, TINY)),
        )
        if weights is not None:
            shares = [share if seen else 0.0 for share, seen in zip(area.shares, areas[layer].shares, strict=True)]
            area = replace(area, weights=inside(backend, weights, tiles, layer).weights, shares=shares)
        terms.append(PointwiseTerm(f"{use.name} {layer}", layer, use.loss, weight, targets[layer], area))  # type: ignore[arg-type]
    return terms


def energy(
    xp: Namespace, loss: PointwiseLoss, rim: Tensor, tile: Tile, layer: Layer, weights: Tensor | None = None
) -> float:
    """Return the target's energy, averaged over a tile's core, each position weighted by `weights`, if given."""
    values = loss.energy(xp, rim)
    if isinstance(values, float):
        return values
    core = values[tile.core_in_rim(layer.stride)]
    return float(xp.mean(core) if weights is None else xp.sum(core * weights) / xp.sum(weights))


def extract(backend: FeatureBackend, image: Tensor, layers: Sequence[Layer]) -> dict[Layer, Tensor]:
    """Return the features of an image by layer; the layer `image` is the image itself."""
    deep = [layer.name for layer in layers if layer.name != IMAGE]
    features = {IMAGE: image, **(answers.features(backend.features(image, deep), deep) if deep else {})}
    return {layer: features[layer.name] for layer in layers}


def _shape(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return height, width
