"""Matched losses: features on the host, a target for each position, tiles and masks like any other term."""

from __future__ import annotations

import numpy as np
import pytest

from nst.engine import loop
from nst.engine.matching import FeatureMaps, matched_terms
from nst.engine.objective import build_objective
from nst.engine.problem import Level, Problem
from nst.engine.terms import Region, WeightedLoss
from nst.engine.tiling import cut
from nst.errors import NstError
from nst.losses.content import Content
from nst.losses.neighbor import Neighbor
from nst.protocols import Iterate
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

LAYERS = {"relu1_1": 0.5, "relu2_1": 0.25, "relu2_2": 0.25}
GEOMETRY = at(LAYERS)
MASK = np.linspace(0, 1, 88, dtype=np.float32).reshape(11, 8) * (np.arange(8) < 5)  # nothing on the right


class Upside(Content):
    """Targets that a test can foresee: the style's own features, upside down."""

    def query(self, content, image):
        return content if image is None else image

    def references(self, style):
        return [style]

    def match(self, query, styles, shares):
        return {layer: styles[0][layer][::-1] for layer in query}


class Counting(ReferenceVGG):
    """A network that counts how often it is asked."""

    calls = 0

    def features(self, image, layers):
        self.calls += 1
        return super().features(image, layers)


@pytest.fixture
def backend(make_network):
    return Counting(make_network())


def objective(backend, loss, photo, tile=0, mask=None, image=None):
    use = WeightedLoss("matched", loss, GEOMETRY, 10.0, matched=True)
    tiles = cut((11, 8), tile, GEOMETRY)
    region = Region([photo(11, 8, seed=1)], [1.0], mask)
    return build_objective(backend, matched_terms(backend, use, region, (photo(11, 8), image), tiles, tile), tiles)


def test_all_layers_are_extracted_in_one_pass(backend, photo):
    maps = FeatureMaps(backend, photo(11, 8), GEOMETRY)
    found = {layer: maps[layer] for layer in maps}
    assert backend.calls == 1
    for layer, features in backend.features(photo(11, 8), [*LAYERS]).items():
        np.testing.assert_array_equal(found[layer], features.astype(np.float32))
    assert maps.shapes == {layer: features.shape for layer, features in found.items()}
    assert maps.strides == {"relu1_1": 1, "relu2_1": 2, "relu2_2": 2}


def test_features_in_tiles_are_those_of_the_whole(backend, photo):
    image = photo(61, 47)
    whole, tiled = (FeatureMaps(backend, image, GEOMETRY, tile) for tile in (0, 16))
    for layer in LAYERS:
        np.testing.assert_allclose(tiled[layer], whole[layer], rtol=1e-5, atol=1e-5)


def test_a_layer_that_was_not_asked_for_is_refused(backend, photo):
    with pytest.raises(KeyError):
        FeatureMaps(backend, photo(11, 8), GEOMETRY)["relu3_1"]


def test_the_loss_is_the_relative_distance_from_the_targets(backend, photo):
    image, style = photo(11, 8, seed=2), photo(11, 8, seed=1)
    found = objective(backend, Upside(), photo)(image)
    features, targets = (backend.features(picture, [*LAYERS]) for picture in (image, style))
    for layer, share in LAYERS.items():
        target = targets[layer][::-1]
        expected = 10 * share * np.sum((features[layer] - target) ** 2) / np.sum(target**2)
        assert found.terms[f"matched {layer}"] == pytest.approx(expected, rel=1e-5)


def test_the_picture_so_far_is_what_a_loss_may_ask_with(backend, photo):
    asked = []

    class Watching(Upside):
        def query(self, content, image):
            asked.append(image)
            return super().query(content, image)

    objective(backend, Watching(), photo)
    objective(backend, Watching(), photo, image=photo(11, 8, seed=5))
    assert asked[0] is None
    np.testing.assert_array_equal(asked[1], photo(11, 8, seed=5))


@pytest.mark.parametrize("mask", [None, MASK], ids=["everywhere", "masked"])
@pytest.mark.parametrize("make", [Upside, Neighbor], ids=["upside", "neighbor"])
def test_tiles_are_exact(backend, photo, mask, make):
    image = photo(11, 8, seed=2)
    whole, tiled = (objective(backend, make(), photo, tile, mask)(image) for tile in (0, 4))
    assert tiled.loss == pytest.approx(whole.loss, rel=1e-6)
    assert tiled.terms == pytest.approx(whole.terms, rel=1e-6)
    np.testing.assert_allclose(tiled.gradient, whole.gradient, rtol=1e-4, atol=1e-6 * np.abs(whole.gradient).max())


def test_a_mask_pulls_nothing_outside(backend, photo):
    image = photo(11, 8, seed=2)
    found = objective(backend, Upside(), photo, mask=np.zeros_like(MASK))(image)
    assert found.loss == 0
    half = objective(backend, Upside(), photo, mask=np.full_like(MASK, 0.5))(image)
    assert half.loss == pytest.approx(0.5 * objective(backend, Upside(), photo)(image).loss, rel=1e-5)


def test_a_loss_that_forgets_a_layer_is_named(backend, photo):
    class Forgetful(Upside):
        def match(self, query, styles, shares):
            return {"relu1_1": styles[0]["relu1_1"]}

    with pytest.raises(NstError, match="matched no target for relu2_1, relu2_2"):
        objective(backend, Forgetful(), photo)


def test_a_target_of_another_shape_is_named(backend, photo):
    class Cropped(Upside):
        def match(self, query, styles, shares):
            return {layer: styles[0][layer][1:] for layer in query}

    with pytest.raises(NstError, match=r"gave a target of shape \(10, 8, \d+\) for relu1_1"):
        objective(backend, Cropped(), photo)


def test_a_target_that_is_not_finite_is_named(backend, photo):
    class Broken(Upside):
        def match(self, query, styles, shares):
            return {layer: np.nan * styles[0][layer] for layer in query}

    with pytest.raises(NstError, match="gave a target for relu1_1 that is not finite"):
        objective(backend, Broken(), photo)


def descend(objective, image, *, state=None, step_scale=1.0):
    """Steepest descent: the state is the gradient at the image."""
    gradient = objective(image).gradient if state is None else state["gradient"]
    while True:
        image = image - np.float32(0.05 * step_scale) * gradient
        evaluation = objective(image)
        gradient = evaluation.gradient
        yield Iterate(image, evaluation, {"gradient": gradient})


def test_a_run_resumed_in_the_middle_of_a_size_is_matched_on_the_same_image(backend, photo):
    use = WeightedLoss("matched", Neighbor(alpha=0.9), GEOMETRY, 10.0, matched=True)
    problem = Problem(
        levels=[Level(6, 2, backend), Level(8, 3, backend)],
        content=photo(7, 8),
        regions=[Region([photo(9, 8, seed=1)], [1.0])],
        start=photo(7, 8),
        style=[use],
        pointwise=[],
        optimizer=descend,
        optimizer_options={},
    )
    snapshots = []
    whole = loop.optimize(problem, lambda progress: snapshots.append(progress.snapshot()))
    for snapshot in snapshots[1:4]:
        resumed = loop.optimize(problem, resume=snapshot)
        assert [row["loss"] for row in resumed.history] == [row["loss"] for row in whole.history]
        np.testing.assert_array_equal(resumed.pixels, whole.pixels)
    assert snapshots[1].start is None
    assert snapshots[3].start.shape == (7, 8, 3)
