"""What an objective is the sum of: one loss at one layer, with its weight and its target.

Targets are computed once per size, tile by tile like everything else, and what they need of the content and the
styles is then let go. A picture in one piece is a picture of one tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from nst.engine.bleed import BleedCanvas
from nst.engine.masks import Area, Mask, everywhere, inside
from nst.engine.tiling import Tile, cut
from nst.images import fit, resize
from nst.protocols import FeatureBackend, Namespace, Pixels, PointwiseLoss, StatisticLoss, Tensor
from nst.vgg.architecture import stride
from nst.vgg.layers import IMAGE

TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


@dataclass(frozen=True)
class WeightedLoss:
    """A loss put to use: at which layers, each with its share (summing to 1), and with which weight overall.

    `whole` losses take their statistic from all positions at once, so that tiles cannot be added up. `protects` is for
    those that hold on to the content. `targeted` losses compare with the content; the others look at the picture alone.
    """

    name: str
    loss: StatisticLoss | PointwiseLoss
    layers: Mapping[str, float]
    weight: float
    whole: bool = False
    protects: bool = False
    targeted: bool = True


@dataclass(frozen=True)
class StyleTerm:
    """A statistic of a layer's area, drawn towards the styles' own."""

    name: str
    layer: str
    loss: StatisticLoss
    weight: float
    target: Tensor
    area: Area

    def statistic(self, xp: Namespace, features: Tensor, weights: Tensor | None) -> Tensor:
        """Compute the statistic of features `(H, W, C)`, each position weighted by `weights` `(H, W)`, if given."""
        return self.loss.statistic(xp, features, weights)

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """Compute the weighted distance of a statistic from a target, a scalar."""
        return self.weight * self.loss.distance(xp, statistic, target)


@dataclass(frozen=True)
class PointwiseTerm:
    """A difference at each position of a layer; `weight` is already divided by the target's energy.

    `targets` hold the content's features over each tile's rim: its core with the next positions, which is as far as a
    difference looks. They are None for a loss that compares with nothing.
    """

    name: str
    layer: str
    loss: PointwiseLoss
    weight: float
    targets: Sequence[Tensor | None]
    area: Area

    def differences(self, xp: Namespace, features: Tensor, target: Tensor | None) -> Tensor:
        """Compute the weighted difference `(H, W)` at each position of features `(H, W, C)`."""
        return self.weight * self.loss.difference(xp, features, features if target is None else target)


Term = StyleTerm | PointwiseTerm


@dataclass(frozen=True)
class Region:
    """A part of the picture and what it is painted like.

    `blend` holds the styles' shares, summing to 1, and `scales` their sizes relative to the picture's (default: 1).
    `mask` `(H, W)`, 0..1, says where, None for everywhere. `name` tells its terms from those of other regions. `alphas`
    `(H, W)`, 0..1, say where each style is opaque, None for everywhere.
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
    """Resize the style to a long side of at most `long_side`; it is never enlarged, since that adds only blur."""
    height, width = style.shape[:2]
    return resize(style, fit(height, width, round(min(long_side, max(height, width)))))


def style_terms(
    backend: FeatureBackend, use: WeightedLoss, region: Region, tiles: Sequence[Tile], style_tile: int = 0
) -> list[Term]:
    """One term per layer, its target the mean of the styles' statistics weighted by the region's blend.

    `tiles` cut the image; styles larger than `style_tile` pixels (0: no limit) are looked at in tiles too. A region
    that covers a part of the picture has that part of the loss's weight: so a position is pulled as strongly in a
    small region as in a large one.
    """
    targets: dict[str, Tensor] = {}
    alphas = region.alphas or [None] * len(region.styles)
    for style, alpha, share in zip(region.styles, alphas, region.blend, strict=True):
        size, seen = (0, None) if use.whole else (style_tile, alpha)
        for layer, statistic in _statistics(backend, use, style, seen, size):
            targets[layer] = targets[layer] + share * statistic if layer in targets else share * statistic
    name = f"{use.name} {region.name}".strip()
    areas = [_area(backend, region.mask, tiles, layer) for layer in use.layers]
    return [
        StyleTerm(f"{name} {layer}", layer, use.loss, use.weight * share * area.part, targets[layer], area)  # type: ignore[arg-type]
        for (layer, share), area in zip(use.layers.items(), areas, strict=True)
    ]


def _area(backend: FeatureBackend, mask: Mask | None, tiles: Sequence[Tile], layer: str) -> Area:
    return everywhere(tiles, layer) if mask is None else inside(backend, mask, tiles, layer)


def _statistics(
    backend: FeatureBackend, use: WeightedLoss, style: Pixels, alpha: Mask | None, size: int
) -> Iterator[tuple[str, Tensor]]:
    """Yield each layer's statistic of the opaque parts of a style, tile by tile, as shares of the whole picture's."""
    image, tiles = backend.asarray(style), cut(_shape(style), size, use.layers)
    areas = {layer: _area(backend, alpha, tiles, layer) for layer in use.layers}
    areas = {layer: area if area.part else everywhere(tiles, layer) for layer, area in areas.items()}
    for i, tile in enumerate(tiles):
        features = extract(backend, image[tile.box], tuple(use.layers))
        for layer in use.layers:
            core = features.pop(layer)[tile.core(stride(layer))]
            yield layer, areas[layer].shares[i] * use.loss.statistic(backend.xp, core, areas[layer].weights[i])  # type: ignore[union-attr]


def pointwise_terms(
    backend: FeatureBackend,
    use: WeightedLoss,
    content: Pixels,
    tiles: Sequence[Tile],
    weights: Mask | None = None,
    alpha: Mask | None = None,
) -> list[Term]:
    """One term per layer, its targets the content's features over the rim of each tile.

    `weights` `(H, W)` multiply the difference at each pixel's place; None is 1 everywhere. `alpha` `(H, W)`, 0..1, says
    where the content is opaque; the rest has no energy and no difference.
    """
    image = backend.asarray(content)
    areas = {layer: _area(backend, alpha, tiles, layer) for layer in use.layers}
    energies, targets = dict.fromkeys(use.layers, 0.0), {layer: list[Tensor | None]() for layer in use.layers}
    for i, tile in enumerate(tiles):
        found = extract(backend, image[tile.box], tuple(use.layers))
        for layer in use.layers:
            rim = found.pop(layer)[tile.rim(stride(layer))]
            energy = _energy(backend.xp, use.loss, rim, tile, layer, areas[layer].weights[i])  # type: ignore[arg-type]
            energies[layer] += areas[layer].shares[i] * energy
            # Times 1 is in memory of its own: what is around the rim need not be kept for its sake.
            targets[layer].append(1 * rim if use.targeted else None)
    terms: list[Term] = []
    for layer, share in use.layers.items():
        area, weight = everywhere(tiles, layer), use.weight * share / max(energies[layer], TINY)
        if weights is not None:
            shares = [share if seen else 0.0 for share, seen in zip(area.shares, areas[layer].shares, strict=True)]
            area = replace(area, weights=inside(backend, weights, tiles, layer).weights, shares=shares)
        terms.append(PointwiseTerm(f"{use.name} {layer}", layer, use.loss, weight, targets[layer], area))  # type: ignore[arg-type]
    return terms


def _energy(xp: Namespace, loss: PointwiseLoss, rim: Tensor, tile: Tile, layer: str, weights: Tensor | None) -> float:
    """Return the target's energy, averaged over a tile's core."""
    energy = loss.energy(xp, rim)
    if isinstance(energy, float):
        return energy
    core = energy[tile.core_in_rim(stride(layer))]
    return float(xp.mean(core) if weights is None else xp.sum(core * weights) / xp.sum(weights))


def extract(backend: FeatureBackend, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Features by layer, the picture itself among them where it is asked for."""
    deep = [layer for layer in layers if layer != IMAGE]
    features = dict(backend.features(image, deep)) if deep else {}
    return features | {IMAGE: image} if IMAGE in layers else features


def _shape(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return height, width
