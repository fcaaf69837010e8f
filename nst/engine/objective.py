"""Build the objective of an image, with its gradient: of the whole image at once, or tile by tile.

Both are exact. A statistic is a mean over positions, so the statistic of an image is the sum of the shares of its
tiles. The distance from the target is computed once, on the small matrices. Each tile needs only the slope of that
distance. So the gradient of the whole image needs the memory of one tile, and a second forward pass.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from nst.engine.masks import window
from nst.engine.out_of_memory import empty_cache, memory_errors
from nst.engine.terms import StyleTerm, Term, extract
from nst.engine.tiling import SMALLEST, Tile
from nst.errors import NstError
from nst.protocols import Array, Evaluation, FeatureBackend, Objective, Tensor
from nst.vgg.architecture import stride


def build_objective(backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile]) -> Objective:
    """Build the sum of the terms as a function of the image; each term needs a name of its own.

    The terms were built for these `tiles`; a single tile is the whole image.
    """
    if len({term.name for term in terms}) < len(terms):
        raise ValueError(f"terms must have names of their own: {[term.name for term in terms]}")
    return Tiled(backend, terms, tiles) if len(tiles) > 1 else _at_once(backend, terms)


def _at_once(backend: FeatureBackend, terms: Sequence[Term]) -> Objective:
    layers = _layers(terms)
    windows = {term.name: window(backend, term.area.weights[0]) for term in _masked(terms)}

    def value(term: Term, features: Tensor) -> Tensor:
        (weights,) = term.area.weights
        if isinstance(term, StyleTerm):
            if weights is not None:
                features, weights = features[windows[term.name]], weights[windows[term.name]]
            return term.distance(backend.xp, term.statistic(backend.xp, features, weights), term.target)
        return backend.xp.mean(_weighted(term.differences(backend.xp, features, term.targets[0]), weights))

    def loss(image: Tensor) -> dict[str, Tensor]:
        features = extract(backend, image, layers)
        return {term.name: value(term, features[term.layer]) for term in terms}

    return backend.value_and_grad(loss)


class Tiled:
    """An `Objective` in two passes over the tiles of the image.

    The first pass adds up the statistics. The second pass computes the gradient of each tile: of its pointwise
    differences, and of its statistics along the slope of their distances.
    """

    def __init__(self, backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile]) -> None:
        self._backend = backend
        self.tiles = tiles
        self._terms = terms
        self._style = [term for term in terms if isinstance(term, StyleTerm)]
        self._distances = {term.name: _distance(backend, term) for term in self._style}
        self._parts: dict[tuple[int, ...], Objective] = {}  # one for each kind of tile

    def __call__(self, image: Array) -> Evaluation:
        """Return the terms of the whole image and its gradient, in the image's array type."""
        statistics = self._statistics(image)
        distances = {term.name: self._distances[term.name](statistics[term.name], term.target) for term in self._style}
        terms = {term.name: distances[term.name].loss if term.name in distances else 0.0 for term in self._terms}
        slopes = {name: distance.gradient for name, distance in distances.items()}
        gradient = 0 * image
        for i, tile in enumerate(self.tiles):
            part = self._part(i)(image[tile.box], *self._parameters(i, slopes))
            gradient[tile.box] += part.gradient
            terms |= {name: terms[name] + value for name, value in part.terms.items() if name not in distances}
        return Evaluation(sum(terms.values()), terms, gradient)

    def _statistics(self, image: Array) -> dict[str, Tensor]:
        """Return the statistics of the style terms over the whole image."""
        statistics: dict[str, Tensor] = {}
        for i, tile in enumerate(self.tiles if self._style else ()):
            features = extract(self._backend, image[tile.box], _layers(self._style))
            for term in self._style:
                core = features[term.layer][tile.core(stride(term.layer))]
                part = term.area.shares[i] * term.statistic(self._backend.xp, core, term.area.weights[i])
                statistics[term.name] = statistics[term.name] + part if term.name in statistics else part
        return statistics

    def _parameters(self, i: int, slopes: Mapping[str, Tensor]) -> Iterator[Tensor]:
        """Return the parameters of `_tile_loss` for tile `i`: the slope or target of each term, and its weights."""
        for term in self._terms:
            share = term.area.shares[i]
            if isinstance(term, StyleTerm):
                yield share * slopes[term.name]
            elif term.targets[i] is not None:
                yield term.targets[i]
            if term.area.weights[i] is not None:
                yield term.area.weights[i]

    def _part(self, i: int) -> Objective:
        """Return the loss of tile `i`: one function for all tiles of its kind, so that it is traced once."""
        kind = self.tiles[i].kind
        if kind not in self._parts:
            loss = partial(_tile_loss, self._backend, self._terms, self.tiles[i], i)
            self._parts[kind] = self._backend.value_and_grad(loss)
        return self._parts[kind]


def _tile_loss(
    backend: FeatureBackend, terms: Sequence[Term], tile: Tile, i: int, image: Tensor, *parameters: Tensor
) -> Mapping[str, Tensor]:
    """Return the terms of tile `i`; not a method, which would close a cycle around the tensors of all terms."""
    xp, values = backend.xp, iter(parameters)
    features = extract(backend, image, _layers(terms))
    losses: dict[str, Tensor] = {}
    for term in terms:
        layer_features, step = features[term.layer], stride(term.layer)
        parameter = next(values) if isinstance(term, StyleTerm) or term.targets[i] is not None else None
        weights = None if term.area.weights[i] is None else next(values)
        if isinstance(term, StyleTerm):
            losses[term.name] = xp.sum(parameter * term.statistic(xp, layer_features[tile.core(step)], weights))
        else:
            differences = term.differences(xp, layer_features[tile.rim(step)], parameter)[tile.core_in_rim(step)]
            losses[term.name] = term.area.shares[i] * xp.mean(_weighted(differences, weights))
    return losses


def _masked(terms: Sequence[Term]) -> list[StyleTerm]:
    """Return the style terms with a mask."""
    return [term for term in terms if isinstance(term, StyleTerm) and term.area.weights[0] is not None]


def _layers(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.layer for term in terms))


def _weighted(differences: Tensor, weights: Tensor | None) -> Tensor:
    return differences if weights is None else differences * weights


def _distance(backend: FeatureBackend, term: StyleTerm) -> Objective:
    """Return the distance of a term as an objective of its statistic."""
    return backend.value_and_grad(lambda statistic, target: {term.name: term.distance(backend.xp, statistic, target)})


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
