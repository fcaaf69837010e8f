"""The objective is the weighted sum of its terms, its targets are the styles' and the content's own."""

from __future__ import annotations

from contextlib import contextmanager

import numpy as np
import pytest

from nst.engine.objective import AutoTiledObjective, build_objective
from nst.engine.terms import Region, WeightedLoss
from nst.engine.terms import pointwise_terms as pointwise
from nst.engine.terms import style_terms as style
from nst.engine.tiling import cut, whole
from nst.errors import NstError
from nst.geometry import IMAGE, Layer
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.losses.total_variation import TotalVariation
from nst.protocols import Evaluation
from nst.testing.immutable import immutable
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

STYLE = WeightedLoss("style", Gram(), at({"relu1_1": 0.75, "relu2_1": 0.25}), 100.0)
CONTENT = WeightedLoss("content", Content(), at({"relu2_2": 1.0}), 10.0)
SMOOTH = WeightedLoss("total-variation", TotalVariation(), at({IMAGE: 1.0}), 2.0)


@pytest.fixture
def backend(make_network):
    return ReferenceVGG(make_network())


def style_terms(backend, use, styles, blend, mask=None):
    return style(backend, use, Region(styles, blend, mask), whole((8, 9)))


def pointwise_terms(backend, use, content):
    return pointwise(backend, use, content, whole(content.shape[:2]))


def evaluate(backend, terms, image):
    return build_objective(backend, terms, whole(image.shape[:2]))(image)


def test_the_content_costs_nothing_at_the_content(backend, photo):
    terms = pointwise_terms(backend, CONTENT, photo(8, 9))
    assert evaluate(backend, terms, photo(8, 9)).loss == 0


def test_the_style_costs_nothing_at_the_style(backend, photo):
    terms = style_terms(backend, STYLE, [photo(8, 9)], [1.0])
    assert evaluate(backend, terms, photo(8, 9)).loss == pytest.approx(0, abs=1e-20)


def test_the_loss_is_the_sum_of_its_named_terms(backend, photo):
    terms = [
        *style_terms(backend, STYLE, [photo(8, 8, seed=1)], [1.0]),
        *pointwise_terms(backend, CONTENT, photo(8, 8)),
    ]
    found = evaluate(backend, terms, photo(8, 8, seed=2))
    assert list(found.terms) == ["style relu1_1", "style relu2_1", "content relu2_2"]
    assert found.loss == pytest.approx(sum(found.terms.values()))
    assert min(found.terms.values()) > 0


def test_two_terms_of_one_name_are_refused(backend, photo):
    """Otherwise one would silently take the other's place."""
    terms = pointwise_terms(backend, CONTENT, photo(8, 8))
    with pytest.raises(ValueError, match="names of their own"):
        build_objective(backend, terms * 2, whole((8, 8)))


def test_weights_and_layer_shares_multiply(backend, photo):
    double = WeightedLoss("style", Gram(), at({"relu1_1": 0.375, "relu2_1": 0.125}), 400.0)
    image, style = photo(8, 8, seed=2), photo(8, 8, seed=1)
    once = evaluate(backend, style_terms(backend, STYLE, [style], [1.0]), image)
    twice = evaluate(backend, style_terms(backend, double, [style], [1.0]), image)
    assert twice.loss == pytest.approx(2 * once.loss)


def test_several_styles_are_the_weighted_mean_of_their_statistics(backend, photo):
    one, other = photo(8, 8, seed=1), photo(12, 6, seed=3)
    blended = style_terms(backend, STYLE, [one, other], [0.75, 0.25])
    alone = [style_terms(backend, STYLE, [style], [1.0]) for style in (one, other)]
    for term, first, second in zip(blended, *alone, strict=True):
        np.testing.assert_allclose(term.target, 0.75 * first.target + 0.25 * second.target)


def test_a_loss_on_pixels_sees_the_picture_itself(backend, photo):
    terms = pointwise_terms(backend, SMOOTH, photo(6, 6))
    flat = np.full((6, 6, 3), 0.5)
    assert evaluate(backend, terms, flat).loss == 0
    flat[2, 3] = 1.0  # four differences of 0.5 in three channels
    assert evaluate(backend, terms, flat).loss == pytest.approx(2.0 * 4 * 3 * 0.25 / 36)


def test_a_black_content_gives_a_finite_loss(backend):
    black = np.zeros((8, 8, 3), np.float32)
    terms = pointwise_terms(backend, WeightedLoss("content", Content(), at({IMAGE: 1.0}), 1.0), black)
    assert np.isfinite(evaluate(backend, terms, np.full_like(black, 0.5)).loss)


MASK = np.linspace(0, 1, 88, dtype=np.float32).reshape(11, 8) * (np.arange(8) < 5)  # nothing on the right
LAST = np.repeat(np.eye(11, dtype=np.float32)[-1:].T, 8, axis=1)  # a row that a pool leaves out


def tiled(backend, content, picture, size, mask=None):
    layers = [*STYLE.layers, *CONTENT.layers, Layer(IMAGE)]
    tiles = cut(content.shape[:2], size, layers)
    terms = style(backend, STYLE, Region([picture], [1.0], mask), tiles, size)
    terms += pointwise(backend, CONTENT, content, tiles, None if mask is None else 1 + mask)
    terms += pointwise(backend, SMOOTH, content, tiles)
    return build_objective(backend, terms, tiles)


@pytest.mark.parametrize("mask", [None, MASK, LAST], ids=["everywhere", "masked", "without a position"])
def test_tile_by_tile_is_the_whole_at_once(backend, photo, mask):
    """Terms and gradient, at an odd size, with statistics, differences and a loss on neighboring pixels."""
    content, picture, image = photo(11, 8), photo(9, 10, seed=1), photo(11, 8, seed=2)
    at_once = tiled(backend, content, picture, 0, mask)(image)
    parts = tiled(backend, content, picture, 4, mask)(image)
    assert parts.terms == pytest.approx(at_once.terms)
    np.testing.assert_allclose(parts.gradient, at_once.gradient, atol=1e-7 * np.abs(at_once.gradient).max())


class Immutable(ReferenceVGG):
    """Its arrays refuse item assignment; its gradients are 1. It remembers the losses it was given."""

    def __init__(self, network):
        super().__init__(network)
        self.losses = []

    def asarray(self, pixels):
        return immutable(super().asarray(pixels))

    def value_and_grad(self, loss):
        self.losses.append(loss)

        def objective(image, *parameters):
            terms = {name: float(term) for name, term in loss(image, *parameters).items()}
            return Evaluation(sum(terms.values()), terms, immutable(np.ones(image.shape, np.float32)))

        return objective


@pytest.mark.parametrize("size", [0, 4], ids=["at once", "in tiles"])
def test_arrays_may_be_immutable(make_network, photo, size):
    backend = Immutable(make_network())
    found = tiled(backend, photo(11, 8), photo(9, 10, seed=1), size, MASK)(backend.asarray(photo(11, 8, seed=2)))
    assert found.gradient.shape == (11, 8, 3)
    assert found.gradient.min() >= 1


@pytest.mark.parametrize("size", [0, 4], ids=["at once", "in tiles"])
@pytest.mark.parametrize("masks", [(None, None), (MASK, MASK**2)], ids=["everywhere", "masked"])
def test_pictures_of_one_size_have_equal_losses(make_network, photo, size, masks):
    """A backend that compiles needs one program for both."""
    backend, pictures = Immutable(make_network()), []
    for seed, mask in zip((1, 5), masks, strict=True):
        objective = tiled(backend, photo(11, 8, seed=seed), photo(9, 10, seed=seed + 1), size, mask)
        objective(photo(11, 8, seed=2))
        pictures.append(backend.losses[:])
        backend.losses.clear()
    assert pictures[0] == pictures[1]
    assert [hash(loss) for loss in pictures[0]] == [hash(loss) for loss in pictures[1]]


def test_losses_that_compute_something_else_are_unequal(make_network, photo):
    backend = Immutable(make_network())
    tiled(backend, photo(11, 8), photo(9, 10, seed=1), 0)
    tiled(backend, photo(11, 8), photo(9, 10, seed=1), 0, MASK)
    build_objective(backend, pointwise_terms(backend, CONTENT, photo(8, 8)), whole((8, 8)))
    build_objective(backend, pointwise_terms(backend, SMOOTH, photo(8, 8)), whole((8, 8)))
    assert len(set(backend.losses)) == 4


def test_a_region_is_painted_by_itself(backend, photo):
    """Half the picture has half the weight, and the distance that it would have alone."""
    use = WeightedLoss("style", Gram(), at({"conv1_1": 1.0}), 100.0)
    left = np.zeros((8, 9), np.float32)
    left[:, :4] = 1
    image, target = photo(8, 9), photo(8, 9, seed=1)
    (term,) = style_terms(backend, use, [target], [1.0], left)
    features = backend.features(image, ["conv1_1"])["conv1_1"]
    alone = Gram().distance(backend.xp, Gram().statistic(backend.xp, features[:, :4], None), term.target)
    assert evaluate(backend, [term], image).loss == pytest.approx(100 * left.mean() * alone)


def test_a_layer_without_a_position_in_a_region_pulls_nothing_there(backend, photo):
    """Nor would it elsewhere, where other styles are meant."""
    terms = style(backend, STYLE, Region([photo(8, 9, seed=1)], [1.0], LAST), whole(LAST.shape))
    found = evaluate(backend, terms, photo(11, 8)).terms
    assert found["style relu2_1"] == 0 < found["style relu1_1"]


class Cramped:
    """An objective builder for a machine that holds tiles of at most so many pixels."""

    def __init__(self, room):
        self.room = room
        self.asked = []

    def __call__(self, tile):
        self.asked.append(tile)

        def objective(image):
            if not tile or tile > self.room:
                raise MemoryError
            return tile

        return objective


def test_when_memory_runs_out_it_goes_on_in_smaller_tiles():
    build, told = Cramped(300), []
    objective = AutoTiledObjective(build, 0, 1000, told.append)
    assert objective(np.zeros(1)) == 250
    assert objective(np.zeros(1)) == 250
    assert build.asked == [0, 500, 250]
    assert told == [f"not enough memory: continuing in tiles of {size} px" for size in (500, 250)]


class Foreign:
    """A backend whose framework has an error of its own for memory that is full."""

    def __init__(self):
        self.freed = 0

    @contextmanager
    def memory_errors(self):
        try:
            yield
        except EOFError as error:
            raise MemoryError from error

    def empty_cache(self):
        self.freed += 1


def test_memory_that_runs_out_while_targets_are_made_is_a_reason_for_tiles_too():
    """That is the framework's own arithmetic, and so is its error."""

    def build(tile):
        if not tile:
            raise EOFError
        return lambda image: tile

    backend = Foreign()
    assert AutoTiledObjective(build, 0, 1000, print, backend)(np.zeros(1)) == 500
    assert backend.freed == 1


def test_memory_that_runs_out_for_good_is_an_error():
    with pytest.raises(NstError, match="even in small tiles"):
        AutoTiledObjective(Cramped(10), 0, 1000, print)(np.zeros(1))
