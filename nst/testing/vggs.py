"""Test that a network of a known architecture computes the same as `nst.vgg.reference`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import cycle
from typing import Any, ClassVar

import numpy as np
import pytest

from nst.engine.matching import matched_terms
from nst.engine.objective import AutoTiledObjective, build_objective
from nst.engine.problem import Level, Problem, build_level
from nst.engine.terms import Region, Term, WeightedLoss, pointwise_terms, style_terms
from nst.engine.tiling import cut
from nst.losses.content import Content
from nst.losses.content_cosine import ContentCosine
from nst.losses.gram import Gram
from nst.losses.histogram import Histogram
from nst.losses.mean_std import MeanStd
from nst.losses.neighbor import Neighbor
from nst.losses.range import Range
from nst.losses.total_variation import TotalVariation
from nst.losses.wasserstein import Wasserstein
from nst.protocols import Evaluation, FeatureBackend, Namespace, Objective, Pixels, Tensor
from nst.specs import BackendSpec
from nst.testing.feature_backends import FeatureBackendSuite
from nst.testing.networks import random_network
from nst.testing.pictures import photo
from nst.vgg.architecture import BLOCKS, at, layer_names, smallest_side
from nst.vgg.preprocessing import PREPROCESSINGS
from nst.vgg.reference import ReferenceVGG

STYLE = at({"relu1_1": 0.5, "conv2_1": 0.5})
USES = {
    "gram": WeightedLoss("gram", Gram(), STYLE, 100.0),
    "mean-std": WeightedLoss("mean-std", MeanStd(), STYLE, 100.0),
    "wasserstein": WeightedLoss("wasserstein", Wasserstein(), STYLE, 100.0),
    "histogram": WeightedLoss("histogram", Histogram(8), STYLE, 100.0),
    "neighbor": WeightedLoss("neighbor", Neighbor(), STYLE, 100.0, matched=True),
    "content": WeightedLoss("content", Content(), at({"relu2_2": 1.0}), 10.0),
    "content-cosine": WeightedLoss("content-cosine", ContentCosine(), at({"relu2_2": 1.0}), 10.0),
    "range": WeightedLoss("range", Range(), at({"image": 1.0}), 1000.0),
    "total-variation": WeightedLoss("total-variation", TotalVariation(), at({"image": 1.0}), 3.0),
}
"""Every loss of nst's own, at layers that a picture of a few pixels has."""

DEEP = WeightedLoss("gram", Gram(), at({f"relu{block}_1": 0.2 for block in range(1, 6)}), 100.0)
HELD = WeightedLoss("content", Content(), at({"relu4_2": 1.0}), 10.0)


class Greedy(Gram):
    """A Gram loss that runs out of memory for images larger than a tile."""

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """Return the Gram matrix, or raise `MemoryError`."""
        room = xp.eye(10**6)[0, 0] if features.shape[0] > 120 else 1.0
        return room * super().statistic(xp, features, weight)


class VGGSuite(FeatureBackendSuite):
    """Tests of `FeatureBackendSuite`, and tests of backends with an architecture in their spec, on random weights."""

    feature_tolerance: ClassVar[float] = 1e-5
    """Of a layer's features, relative to their norm."""

    gradient_tolerance: ClassVar[float] = 1e-4
    """Of a gradient, relative to its largest value; the reference's own is numeric."""

    @classmethod
    def suits(cls, spec: BackendSpec) -> bool:
        """Return whether the spec of a backend names an architecture."""
        return super().suits(spec) and spec.architecture in BLOCKS

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls, spec: BackendSpec) -> Any:
        """Return a small random VGG."""
        return random_network(spec.architecture)

    @pytest.mark.parametrize("preprocessing", sorted(PREPROCESSINGS))
    def test_features_are_the_reference_s(self, spec: BackendSpec, preprocessing: str) -> None:
        """A backend that names an `architecture` has the features of `nst.vgg.reference`, whatever input its weights
        want, with every kind of `pooling`.
        """
        network = random_network(spec.architecture, preprocessing)
        for pooling in spec.pooling:
            backend = self.build(spec, network, pooling=pooling, precision="float32")
            self._compare(spec, backend, ReferenceVGG(network, pooling=pooling), photo(45, 37))

    @pytest.mark.parametrize("size", [(45, 37), (16, 40), (32, 33)], ids=str)
    def test_features_are_the_reference_s_with_every_padding(
        self, spec: BackendSpec, weights: Any, size: tuple[int, int]
    ) -> None:
        """It has them with every kind of `padding`, where mirrors have a single position to show too."""
        for padding in spec.padding:
            backend = self.build(spec, weights, padding=padding, precision="float32")
            self._compare(spec, backend, ReferenceVGG(weights, padding=padding), photo(*size))

    @pytest.mark.parametrize("loss", USES)
    def test_losses_and_gradients_are_the_reference_s(self, spec: BackendSpec, weights: Any, loss: str) -> None:
        """Every loss of nst's own has the value and the gradient that it has in `nst.vgg.reference`."""
        self._compare_losses(self.build(spec, weights, precision="float32"), ReferenceVGG(weights), USES[loss])

    def test_gradients_are_the_reference_s_with_every_padding(self, spec: BackendSpec, weights: Any) -> None:
        """It has both with every kind of `padding`."""
        for padding in spec.padding:
            backend = self.build(spec, weights, padding=padding, precision="float32")
            self._compare_losses(backend, ReferenceVGG(weights, padding=padding), USES["gram"])

    def test_gradient_in_tiles_is_that_of_the_whole_picture(self, spec: BackendSpec, weights: Any) -> None:
        """In tiles the gradient is that of the whole picture."""
        for padding, size in zip(spec.padding or ("",), cycle([(333, 250), (256, 320)]), strict=False):
            backend = self.build(spec, weights, precision="float32", **({"padding": padding} if padding else {}))
            # Four kinds of tiles: more would have a backend compile more, and are the core's affair.
            at_once, tiled = (evaluate_losses(backend, (DEEP, HELD), size, tile) for tile in (0, 192))
            assert tiled.loss == pytest.approx(at_once.loss, rel=self.feature_tolerance), padding
            self._compare_gradients(backend, tiled, backend.to_host(at_once.gradient))

    def test_memory_that_runs_out_in_a_loss_leads_to_tiles(self, backend: FeatureBackend) -> None:
        """Any may have `memory_errors() -> ContextManager`, within which memory that its framework runs out of, in what
        losses and optimizers compute too, is a `MemoryError`.
        """
        if not hasattr(backend, "memory_errors"):
            pytest.skip("it leaves errors as they are")
        content, notes = photo(144, 144), list[str]()
        region, use = Region([photo(144, 144, 1)], [1.0]), WeightedLoss("style", Greedy(), at({"relu1_1": 1.0}), 1.0)
        image, level = backend.asarray(content), Level(144, 1, backend)
        task = Problem([level], content, [region], content, [use], [], None, {})  # type: ignore[arg-type] # takes no step
        evaluate_losses = AutoTiledObjective(partial(build_level, task, level), 0, 144, notes.append, backend)(image)
        plain = replace(task, style=[replace(use, loss=Gram())])
        assert evaluate_losses.terms == pytest.approx(build_level(plain, level)(image).terms, rel=1e-4)
        assert notes == ["not enough memory: continuing in tiles of 72 px"]

    def _compare(self, spec: BackendSpec, backend: FeatureBackend, reference: ReferenceVGG, picture: Pixels) -> None:
        names = [name for name in layer_names(spec.architecture) if smallest_side([name]) <= min(picture.shape[:2])]
        features = backend.features(backend.asarray(picture), names)
        for name, expected in reference.features(reference.asarray(picture), names).items():
            error = np.linalg.norm(backend.to_host(features[name]) - expected) / np.linalg.norm(expected)
            assert error < self.feature_tolerance, name

    def _compare_losses(self, backend: FeatureBackend, reference: ReferenceVGG, use: WeightedLoss) -> None:
        actual, expected = (evaluate_losses(network, [use], (6, 7)) for network in (backend, reference))
        assert actual.loss == pytest.approx(expected.loss, rel=self.feature_tolerance)
        self._compare_gradients(backend, actual, expected.gradient)

    def _compare_gradients(self, backend: FeatureBackend, actual: Evaluation, expected: Any) -> None:
        error = np.abs(backend.to_host(actual.gradient) - expected).max()
        assert error < self.gradient_tolerance * np.abs(expected).max()


def evaluate_losses(
    backend: FeatureBackend, uses: Sequence[WeightedLoss], size: tuple[int, int], tile: int = 0
) -> Evaluation:
    """Evaluate losses of an image of (height, width) towards another, and their gradient, also beyond 0..1."""
    image, target = 1.5 * photo(*size) - 0.25, photo(*size, 1)
    return drawn_to(backend, uses, target, tile)(backend.asarray(image))


def drawn_to(backend: FeatureBackend, uses: Sequence[WeightedLoss], target: Pixels, tile: int = 0) -> Objective:
    """Return the objective of an image of the target's size, whole or in tiles of `tile` pixels."""
    height, width = target.shape[:2]
    tiles, terms = cut((height, width), tile, [layer for use in uses for layer in use.layers]), list[Term]()
    for use in uses:
        if use.matched:
            terms += matched_terms(backend, use, Region([target], [1.0]), (target, None), tiles, tile)
        elif hasattr(use.loss, "statistic"):
            terms += style_terms(backend, use, Region([target], [1.0]), tiles, tile)
        else:
            terms += pointwise_terms(backend, use, target, tiles)
    return build_objective(backend, terms, tiles)
