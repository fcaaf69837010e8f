"""Terms made into one function of an image, with its gradient: of the whole image at once, or tile by tile.

Both are exact. A statistic is a mean over positions, so a picture's is the sum of its tiles' shares; its distance
from the target is taken once, on the small matrices, and the slope of that distance is what each tile needs to know
of all others. So the gradient of the whole picture is had in the memory of one tile, at the price of a second pass
forward.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from nst.architectures import stride
from nst.errors import NstError
from nst.protocols import Array, Evaluation, FeatureBackend, Objective, Tensor
from nst.terms import PointwiseTerm, StyleTerm, Term, extract
from nst.tiles import SMALLEST, Tile


def build_objective(backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile] = ()) -> Objective:
    """The sum of the terms as a function of the image; each term needs a name of its own.

    `tiles` cut the image, as they cut the content when the terms were made; none, or one, is the whole image.
    """
    if len({term.name for term in terms}) < len(terms):
        raise ValueError(f"terms must have names of their own: {[term.name for term in terms]}")
    return Tiled(backend, terms, tiles) if len(tiles) > 1 else _at_once(backend, terms)


def _at_once(backend: FeatureBackend, terms: Sequence[Term]) -> Objective:
    layers = _layers(terms)

    def value(term: Term, features: Tensor) -> Tensor:
        if isinstance(term, StyleTerm):
            return term.distance(backend.xp, term.statistic(backend.xp, features), term.target)
        return backend.xp.mean(term.differences(backend.xp, features, term.targets[0]))

    def loss(image: Tensor) -> dict[str, Tensor]:
        features = extract(backend, image, layers)
        return {term.name: value(term, features[term.layer]) for term in terms}

    return backend.value_and_grad(loss)


class Tiled:
    """An `Objective` in two passes over the tiles of the image.

    The first adds up the statistics. The second has each tile's gradient: of its pointwise differences, and of its
    statistics along the slope of their distances.
    """

    def __init__(self, backend: FeatureBackend, terms: Sequence[Term], tiles: Sequence[Tile]) -> None:
        self._backend = backend
        self._tiles = tiles
        self._style = [term for term in terms if isinstance(term, StyleTerm)]
        self._pointwise = [term for term in terms if isinstance(term, PointwiseTerm)]
        self._shape = (tiles[-1].rows.stop, tiles[-1].columns.stop)
        self._distances = {term.name: _distance(backend, term) for term in self._style}
        self._parts: dict[tuple[int, ...], Objective] = {}  # one for each kind of tile

    def __call__(self, image: Array) -> Evaluation:
        """The terms of the whole image, and its gradient in the image's own kind."""
        statistics = self._statistics(image)
        distances = {term.name: self._distances[term.name](statistics[term.name], term.target) for term in self._style}
        slopes = [distances[term.name].gradient for term in self._style]
        terms = {term.name: distances[term.name].loss for term in self._style}
        terms |= dict.fromkeys((term.name for term in self._pointwise), 0.0)
        gradient = 0 * image
        for i, tile in enumerate(self._tiles):
            part = self._part(tile)(image[tile.box], *slopes, *(term.targets[i] for term in self._pointwise))
            gradient[tile.box] += part.gradient
            for term in self._pointwise:
                terms[term.name] += part.terms[term.name]
        return Evaluation(sum(terms.values()), terms, gradient)

    def _statistics(self, image: Array) -> dict[str, Tensor]:
        """The style terms' statistics of the whole image."""
        found: dict[str, Tensor] = {}
        for tile in self._tiles if self._style else ():
            features = extract(self._backend, image[tile.box], _layers(self._style))
            for term in self._style:
                part = self._share(tile, term) * term.statistic(self._backend.xp, _core(features, tile, term))
                found[term.name] = found[term.name] + part if term.name in found else part
        return found

    def _share(self, tile: Tile, term: Term) -> float:
        return tile.share(self._shape, stride(term.layer))

    def _part(self, tile: Tile) -> Objective:
        if tile.kind not in self._parts:
            self._parts[tile.kind] = self._backend.value_and_grad(partial(self._loss, tile))
        return self._parts[tile.kind]

    def _loss(self, tile: Tile, image: Tensor, *given: Tensor) -> Mapping[str, Tensor]:
        """What a tile's box `image` adds to the whole; `given` are the slopes, then the pointwise targets."""
        xp = self._backend.xp
        terms: list[Term] = [*self._style, *self._pointwise]
        features = extract(self._backend, image, _layers(terms))
        found: dict[str, Tensor] = {}
        for term, fixed in zip(terms, given, strict=True):
            share = self._share(tile, term)
            if isinstance(term, StyleTerm):
                found[term.name] = share * xp.sum(fixed * term.statistic(xp, _core(features, tile, term)))
            else:
                differences = term.differences(xp, features[term.layer], fixed)
                found[term.name] = share * xp.mean(differences[tile.core(stride(term.layer))])
        return found


def _layers(terms: Sequence[Term]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(term.layer for term in terms))


def _core(features: Mapping[str, Tensor], tile: Tile, term: Term) -> Tensor:
    return features[term.layer][tile.core(stride(term.layer))]


def _distance(backend: FeatureBackend, term: StyleTerm) -> Objective:
    """A term's distance as a function of its statistic, with the slope that the tiles need."""
    return backend.value_and_grad(lambda statistic, target: {term.name: term.distance(backend.xp, statistic, target)})


class Frugal:
    """An `Objective` that goes on in tiles when memory runs out, and in tiles half as large when it does so again.

    `build` makes the objective for a tile size in pixels (0: the whole image at once), `longest` is the image's
    longer side; `tell` is told of each change.
    """

    def __init__(self, build: Callable[[int], Objective], tile: int, longest: int, tell: Callable[[str], None]) -> None:
        self._build, self._tile, self._longest, self._tell = build, tile, longest, tell
        self._objective: Objective | None = None

    def __call__(self, image: Array) -> Evaluation:
        """The evaluation, at the first tile size that memory allows."""
        while True:
            try:
                self._objective = self._objective or self._build(self._tile)
                return self._objective(image)
            except MemoryError:
                self._objective = None  # and with the traceback goes what it held
            self._halve()

    def _halve(self) -> None:
        self._tile = min(self._tile or self._longest, self._longest) // 2
        if self._tile < SMALLEST:
            raise NstError("not enough memory, even in small tiles", "choose a smaller --size")
        self._tell(f"not enough memory: going on in tiles of {self._tile} px")
