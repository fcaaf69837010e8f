"""What an objective is the sum of: one loss at one layer, with its weight and its target.

Targets are computed once per size, tile by tile like everything else, and what they need of the content and the
styles is then let go. A picture in one piece is a picture of one tile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nst.architectures import stride
from nst.layers import IMAGE
from nst.protocols import FeatureBackend, Namespace, Pixels, PointwiseLoss, StatisticLoss, Tensor
from nst.tiles import Tile, cut, whole

TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


@dataclass(frozen=True)
class LossUse:
    """A loss put to use: at which layers, each with its share (summing to 1), and with which weight overall.

    `whole` losses take their statistic from all positions at once, so that tiles cannot be added up.
    """

    name: str
    loss: StatisticLoss | PointwiseLoss
    layers: Mapping[str, float]
    weight: float
    whole: bool = False


@dataclass(frozen=True)
class StyleTerm:
    """A statistic at a layer, drawn towards the styles' own."""

    name: str
    layer: str
    loss: StatisticLoss
    weight: float
    target: Tensor

    def statistic(self, xp: Namespace, features: Tensor) -> Tensor:
        """The statistic of features `(H, W, C)`."""
        return self.loss.statistic(xp, features, None)

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """The weighted distance of a statistic from a target, a scalar."""
        return self.weight * self.loss.distance(xp, statistic, target)


@dataclass(frozen=True)
class PointwiseTerm:
    """A difference at each position of a layer; `weight` is already divided by the target's energy.

    `targets` holds the content's features over each tile's box.
    """

    name: str
    layer: str
    loss: PointwiseLoss
    weight: float
    targets: Sequence[Tensor]

    def differences(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """The weighted difference `(H, W)` at each position of features `(H, W, C)`."""
        return self.weight * self.loss.difference(xp, features, target)


Term = StyleTerm | PointwiseTerm


def style_terms(
    backend: FeatureBackend, use: LossUse, styles: Sequence[Pixels], blend: Sequence[float], tile: int = 0
) -> list[Term]:
    """One term per layer, its target the mean of the styles' statistics weighted by `blend` (summing to 1).

    A style larger than `tile` pixels (0: no limit) is looked at in tiles.
    """
    targets: dict[str, Tensor] = {}
    for style, share in zip(styles, blend, strict=True):
        for layer, statistic in _statistics(backend, use, style, 0 if use.whole else tile):
            targets[layer] = targets[layer] + share * statistic if layer in targets else share * statistic
    return [
        StyleTerm(f"{use.name} {layer}", layer, use.loss, use.weight * share, targets[layer])  # type: ignore[arg-type]
        for layer, share in use.layers.items()
    ]


def _statistics(backend: FeatureBackend, use: LossUse, style: Pixels, size: int) -> Iterator[tuple[str, Tensor]]:
    """Layer by layer, and tile by tile, shares of the whole picture's statistic."""
    image = backend.asarray(style)
    for tile in cut(_shape(style), size, use.layers):
        features = extract(backend, image[tile.box], tuple(use.layers))
        for layer in use.layers:
            if share := tile.share(_shape(style), stride(layer)):
                core = features.pop(layer)[tile.core(stride(layer))]
                yield layer, share * use.loss.statistic(backend.xp, core, None)  # type: ignore[union-attr]


def pointwise_terms(backend: FeatureBackend, use: LossUse, content: Pixels, tiles: Sequence[Tile] = ()) -> list[Term]:
    """One term per layer, its targets the content's features over the box of each of `tiles` (default: one)."""
    image, tiles = backend.asarray(content), tiles or whole(_shape(content))
    found = [extract(backend, image[tile.box], tuple(use.layers)) for tile in tiles]
    terms: list[Term] = []
    for layer, share in use.layers.items():
        targets = [features[layer] for features in found]
        energy = _energy(backend.xp, use.loss, layer, targets, tiles, _shape(content))  # type: ignore[arg-type]
        weight = use.weight * share / max(energy, TINY)
        terms.append(PointwiseTerm(f"{use.name} {layer}", layer, use.loss, weight, targets))  # type: ignore[arg-type]
    return terms


def _energy(
    xp: Namespace,
    loss: PointwiseLoss,
    layer: str,
    targets: Sequence[Tensor],
    tiles: Sequence[Tile],
    shape: tuple[int, int],
) -> float:
    """The mean over the whole picture of the target's energy at a layer."""
    total = 0.0
    for target, tile in zip(targets, tiles, strict=True):
        energy = loss.energy(xp, target)
        if isinstance(energy, float):
            return energy
        if share := tile.share(shape, stride(layer)):
            total += share * float(xp.mean(energy[tile.core(stride(layer))]))
    return total


def extract(backend: FeatureBackend, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    """Features by layer, the picture itself among them where it is asked for."""
    deep = [layer for layer in layers if layer != IMAGE]
    features = dict(backend.features(image, deep)) if deep else {}
    return features | {IMAGE: image} if IMAGE in layers else features


def _shape(pixels: Pixels) -> tuple[int, int]:
    height, width = pixels.shape[:2]
    return height, width
