"""Build the objective of an image, with its gradient: of the whole image at once, or tile by tile.

Both are exact. A statistic is a mean over positions, so the statistic of an image is the sum of the shares of its
tiles. The distance from the target is computed once, on the small matrices. Each tile needs only the slope of that
distance. So the gradient of the whole image needs the memory of one tile, and a second forward pass.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from nst.engine import answers
from nst.engine.out_of_memory import empty_cache, memory_errors
from nst.engine.terms import StyleTerm, Term, TermForm, extract, scalar, term_form
from nst.engine.tiling import SMALLEST, Tile
from nst.errors import NstError
from nst.geometry import Layer
from nst.protocols import Array, Evaluation, FeatureBackend, Objective, Tensor


def build_objective(backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile]) -> Objective:
    """Build the sum of the terms as a function of the image; each term needs a name of its own.

    The terms were built for these `tiles`; a single tile is the whole image.
    """
    if len({term.name for term in terms}) < len(terms):
        raise ValueError(f"terms must have names of their own: {[term.name for term in terms]}")
    return Tiled(backend, terms, tiles) if len(tiles) > 1 else _at_once(backend, terms)


def _at_once(backend: FeatureBackend, terms: Sequence[Term]) -> Objective:
    objective = backend.value_and_grad(ImageLoss(backend, tuple(term_form(backend, term) for term in terms)))
    parameters = [parameter for term in terms for parameter in _whole_parameters(backend, term)]
    return lambda image: answers.evaluated(objective(image, *parameters), image)


def _whole_parameters(backend: FeatureBackend, term: Term) -> Iterator[Tensor]:
    """Yield the numbers of a term that has a single tile: its weight, its target, and its positions' weights."""
    yield scalar(backend, term.weight)
    target = term.target if isinstance(term, StyleTerm) else term.targets[0]
    yield from (array for array in (target, term.area.weights[0]) if array is not None)


@dataclass(frozen=True)
class ImageLoss:
    """The terms of a whole image, as a function of the image and of the parameters of `_whole_parameters`.

    All numbers of a picture are parameters, so the losses of two pictures of one size are equal: a backend that
    compiles may use one program for both.
    """

    backend: FeatureBackend
    forms: tuple[TermForm, ...]

    def __call__(self, image: Tensor, *parameters: Tensor) -> Mapping[str, Tensor]:
        """Compute each weighted term by name."""
        values, features = iter(parameters), extract(self.backend, image, _layers(self.forms))
        return {form.name: self._term(form, features[form.layer], values) for form in self.forms}

    def _term(self, form: TermForm, features: Tensor, values: Iterator[Tensor]) -> Tensor:
        weight, target = next(values), next(values) if form.targeted else features
        weights = next(values) if form.weighted else None
        if form.is_style:
            if weights is not None:
                features, weights = features[form.rows, form.columns], weights[form.rows, form.columns]
            return form.distance(self.backend.xp, form.statistic(self.backend.xp, features, weights), target, weight)
        differences = form.differences(self.backend.xp, features, target, weight)
        return self.backend.xp.mean(_weighted(differences, weights))


@dataclass(frozen=True)
class TileLoss:
    """The terms of a tile, as a function of its box and of the parameters of `Tiled`; equal for tiles of one kind."""

    backend: FeatureBackend
    forms: tuple[TermForm, ...]
    tile: Tile

    def __call__(self, image: Tensor, *parameters: Tensor) -> Mapping[str, Tensor]:
        """Compute each weighted term by name; a style term is the product of its statistic and its slope."""
        values, features = iter(parameters), extract(self.backend, image, _layers(self.forms))
        return {form.name: self._term(form, features[form.layer], values) for form in self.forms}

    def _term(self, form: TermForm, features: Tensor, values: Iterator[Tensor]) -> Tensor:
        xp, step = self.backend.xp, form.layer.stride
        if form.is_style:
            slope, weights = next(values), next(values) if form.weighted else None
            return xp.sum(slope * form.statistic(xp, features[self.tile.core(step)], weights))
        share, weight, rim = next(values), next(values), features[self.tile.rim(step)]
        differences = form.differences(xp, rim, next(values) if form.targeted else rim, weight)
        weights = next(values) if form.weighted else None
        return share * xp.mean(_weighted(differences[self.tile.core_in_rim(step)], weights))


@dataclass(frozen=True)
class DistanceLoss:
    """A style term as a function of its statistic, its target and its weight."""

    backend: FeatureBackend
    form: TermForm

    def __call__(self, statistic: Tensor, target: Tensor, weight: Tensor) -> Mapping[str, Tensor]:
        """Compute the weighted distance."""
        return {self.form.name: self.form.distance(self.backend.xp, statistic, target, weight)}


class Tiled:
    """An `Objective` in two passes over the tiles of the image.

    The first pass adds up the statistics. The second pass computes the gradient of each tile: of its pointwise
    differences, and of its statistics along the slope of their distances. Gradients are added up on the host, because
    arrays may be immutable.
    """

    def __init__(self, backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile]) -> None:
        self._backend = backend
        self.tiles = tiles
        self._terms = terms
        self._forms = tuple(term_form(backend, term) for term in terms)
        self._style = [(term, form) for term, form in zip(terms, self._forms, strict=True) if form.is_style]
        self._weights = {term.name: scalar(backend, term.weight) for term in terms}
        self._distances = {form.name: backend.value_and_grad(DistanceLoss(backend, form)) for _, form in self._style}
        self._parts: dict[Tile, Objective] = {}  # one for each kind of tile

    def __call__(self, image: Array) -> Evaluation:
        """Return the terms of the whole image and its gradient, in the image's array type."""
        distances = dict(self._evaluate_distances(image))
        terms = {term.name: distances[term.name].loss if term.name in distances else 0.0 for term in self._terms}
        slopes = {name: distance.gradient for name, distance in distances.items()}
        gradient = np.zeros(image.shape, np.float32)
        for i, tile in enumerate(self.tiles):
            box = image[tile.box]
            part = answers.evaluated(self._part(tile)(box, *self._parameters(i, slopes)), box)
            gradient[tile.box] += self._on_host(part.gradient)
            terms |= {name: terms[name] + value for name, value in part.terms.items() if name not in distances}
        kind = gradient if isinstance(image, np.ndarray) else self._backend.asarray(gradient)
        return Evaluation(sum(terms.values()), terms, kind)

    def _on_host(self, gradient: Array) -> Array:
        return gradient if isinstance(gradient, np.ndarray) else self._backend.to_host(gradient)

    def _evaluate_distances(self, image: Array) -> Iterator[tuple[str, Evaluation]]:
        """Yield the distance of each style term over the whole image, with its slope."""
        statistics = self._statistics(image)
        for term, _ in self._style:
            parameters = term.target, self._weights[term.name]  # type: ignore[union-attr]
            yield term.name, self._distances[term.name](statistics[term.name], *parameters)

    def _statistics(self, image: Array) -> dict[str, Tensor]:
        """Return the statistics of the style terms over the whole image."""
        statistics: dict[str, Tensor] = {}
        for i, tile in enumerate(self.tiles if self._style else ()):
            features = extract(self._backend, image[tile.box], _layers([form for _, form in self._style]))
            for term, form in self._style:
                core = features[term.layer][tile.core(term.layer.stride)]
                part = term.area.shares[i] * form.statistic(self._backend.xp, core, term.area.weights[i])
                statistics[term.name] = statistics[term.name] + part if term.name in statistics else part
        return statistics

    def _parameters(self, i: int, slopes: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """Yield the parameters of the `TileLoss` of tile `i`, term by term."""
        for term in self._terms:
            share = term.area.shares[i]
            if isinstance(term, StyleTerm):
                yield share * slopes[term.name]
            else:
                yield from (scalar(self._backend, share), self._weights[term.name])
                if term.targets[i] is not None:
                    yield term.targets[i]
            if term.area.weights[i] is not None:
                yield term.area.weights[i]

    def _part(self, tile: Tile) -> Objective:
        """Return the objective of a tile: one for all tiles of its kind."""
        if tile.kind not in self._parts:
            self._parts[tile.kind] = self._backend.value_and_grad(TileLoss(self._backend, self._forms, tile.kind))
        return self._parts[tile.kind]


def _layers(forms: Sequence[TermForm]) -> tuple[Layer, ...]:
    return tuple(dict.fromkeys(form.layer for form in forms))


def _weighted(differences: Tensor, weights: Tensor | None) -> Tensor:
    return differences if weights is None else differences * weights


class AutoTiledObjective:
    """An `Objective` that continues in tiles when memory runs out, and then in tiles of half the size.

    `build` builds the objective for a tile size in pixels (0: the whole image); `longest` is the image's longer side.
    `tell` receives a message at each change. The cache of `backend` is emptied, if the backend can do that.
    """

    def __init__(
        self,
        build: Callable[[int], Objective],
        tile: int,
        longest: int,
        tell: Callable[[str], None],
        backend: FeatureBackend | None = None,
    ) -> None:
        self._build, self.tile, self._longest, self._tell, self._backend = build, tile, longest, tell, backend
        self._objective: Objective | None = None

    def __call__(self, image: Array) -> Evaluation:
        """Evaluate at the first tile size that fits into memory."""
        while True:
            try:
                with memory_errors(self._backend):
                    self._objective = self._objective or self._build(self.tile)
                    return self._objective(image)
            except MemoryError:
                self._objective = None
            gc.collect()  # the traceback keeps the tensors of the evaluation, perhaps in a cycle
            empty_cache(self._backend)
            self._halve()

    def _halve(self) -> None:
        self.tile = min(self.tile or self._longest, self._longest) // 2
        if self.tile < SMALLEST:
            raise NstError("not enough memory, even in small tiles", "choose a smaller --size")
        self._tell(f"not enough memory: continuing in tiles of {self.tile} px")
