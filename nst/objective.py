"""From losses, layers and pictures to one function of an image.

A `Term` is one loss at one layer with its weight and its target. Targets are computed once per size; what they need
of the content and the styles is then let go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from nst.layers import IMAGE
from nst.protocols import FeatureBackend, Namespace, Objective, Pixels, PointwiseLoss, StatisticLoss, Tensor


@dataclass(frozen=True)
class LossUse:
    """A loss put to use: at which layers, each with its share (summing to 1), and with which weight overall."""

    name: str
    loss: StatisticLoss | PointwiseLoss
    layers: Mapping[str, float]
    weight: float


@dataclass(frozen=True)
class StyleTerm:
    """A statistic at a layer, drawn towards the styles' own."""

    name: str
    layer: str
    loss: StatisticLoss
    weight: float
    target: Tensor

    def __call__(self, xp: Namespace, features: Tensor) -> Tensor:
        """The weighted distance, a scalar, for features `(H, W, C)`."""
        statistic = self.loss.statistic(xp, features, None)
        return self.weight * self.loss.distance(xp, statistic, self.target)


@dataclass(frozen=True)
class PointwiseTerm:
    """A difference at each position of a layer; `weight` is already divided by the target's energy."""

    name: str
    layer: str
    loss: PointwiseLoss
    weight: float
    target: Tensor

    def __call__(self, xp: Namespace, features: Tensor) -> Tensor:
        """The weighted mean difference, a scalar, for features `(H, W, C)`."""
        return self.weight * xp.mean(self.loss.difference(xp, features, self.target))


Term = StyleTerm | PointwiseTerm
TINY = 1e-12  # keeps a target without energy (a black picture) from dividing by zero


def style_terms(backend: FeatureBackend, use: LossUse, styles: Sequence[Pixels], blend: Sequence[float]) -> list[Term]:
    """One term per layer, its target the mean of the styles' statistics weighted by `blend` (summing to 1)."""
    targets: dict[str, Tensor] = {}
    for style, share in zip(styles, blend, strict=True):
        features = _features(backend, style, use.layers)
        for layer in use.layers:
            part = share * use.loss.statistic(backend.xp, features.pop(layer), None)  # type: ignore[union-attr]
            targets[layer] = targets[layer] + part if layer in targets else part
    return [
        StyleTerm(f"{use.name} {layer}", layer, use.loss, use.weight * share, targets[layer])  # type: ignore[arg-type]
        for layer, share in use.layers.items()
    ]


def pointwise_terms(backend: FeatureBackend, use: LossUse, content: Pixels) -> list[Term]:
    """One term per layer, its target the content's features there."""
    features = _features(backend, content, use.layers)
    terms: list[Term] = []
    for layer, share in use.layers.items():
        energy = _mean(backend.xp, use.loss.energy(backend.xp, features[layer]))  # type: ignore[union-attr]
        weight = use.weight * share / max(energy, TINY)
        terms.append(PointwiseTerm(f"{use.name} {layer}", layer, use.loss, weight, features[layer]))  # type: ignore[arg-type]
    return terms


def _mean(xp: Namespace, energy: Tensor | float) -> float:
    return energy if isinstance(energy, float) else float(xp.mean(energy))


def build_objective(backend: FeatureBackend, terms: Sequence[Term]) -> Objective:
    """The sum of the terms as a function of the image, with its gradient; each term needs a name of its own."""
    layers = tuple(dict.fromkeys(term.layer for term in terms))
    if len({term.name for term in terms}) < len(terms):
        raise ValueError(f"terms must have names of their own: {[term.name for term in terms]}")

    def loss(image: Tensor) -> dict[str, Tensor]:
        features = _extract(backend, image, layers)
        return {term.name: term(backend.xp, features[term.layer]) for term in terms}

    return backend.value_and_grad(loss)


def _features(backend: FeatureBackend, pixels: Pixels, layers: Mapping[str, float]) -> dict[str, Tensor]:
    return _extract(backend, backend.asarray(pixels), tuple(layers))


def _extract(backend: FeatureBackend, image: Tensor, layers: Sequence[str]) -> dict[str, Tensor]:
    deep = [layer for layer in layers if layer != IMAGE]
    features = dict(backend.features(image, deep)) if deep else {}
    return features | {IMAGE: image} if IMAGE in layers else features
