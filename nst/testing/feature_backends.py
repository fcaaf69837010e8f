"""Test the requirements on differentiable feature extractors: `nst.protocols.FeatureBackend` and `Namespace`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import cycle
from typing import Any, ClassVar

import numpy as np
import pytest

from nst.engine.out_of_memory import memory_errors
from nst.errors import UserError
from nst.geometry import shortest_side
from nst.protocols import FeatureBackend, Tensor
from nst.specs import BackendSpec
from nst.testing.backends import BackendSuite
from nst.testing.namespaces import NamespaceTests
from nst.testing.options import bounds
from nst.testing.pictures import assert_pixels, flat, photo
from nst.vgg.architecture import layer_names

VGG = layer_names("vgg19")  # and every layer of VGG-16


class FeatureBackendSuite(NamespaceTests, BackendSuite):
    """Tests of feature extractors. `weights`, of scope "class", and `backend` may be overridden."""

    backend_kind = "feature"

    slope_tolerance: ClassVar[float] = 0.05
    """Between slope and difference of the loss, relative to the gradient: at ReLUs and pools the loss bends sharply."""

    coarse_slope_tolerance: ClassVar[float] = 0.5
    """The same where features have eight bits or eleven: told by `precision` being neither float32 nor float64."""

    def test_factory_takes_weights_device_pooling_and_options(self, spec: BackendSpec, weights: Any) -> None:
        """Its factory takes the loaded weights, `device`, `pooling`, `precision` ("auto", or one its spec offers), and
        the options its spec declares.
        """
        image = photo(*[shortest_side(spec.layers)] * 2)
        precisions = ["auto", *spec.precisions]
        choices = range(max(len(spec.pooling), len(precisions)))  # each once: a backend may compile for each
        for pooling, precision, _ in zip(cycle(spec.pooling), cycle(precisions), choices, strict=False):
            backend = self.build(spec, weights, pooling=pooling, precision=precision)
            features = backend.features(backend.asarray(image), spec.layer_names)
            assert set(features) == set(spec.layer_names)
            objective = backend.value_and_grad(self._mean_square(backend, spec.layer_names[-1]))
            assert np.isfinite(objective(image).gradient).all()

    def test_factory_takes_every_padding_its_spec_names(self, spec: BackendSpec, weights: Any) -> None:
        """Where its spec names kinds of `padding`, it takes one of them too."""
        side = shortest_side(spec.layers)
        for padding in spec.padding:
            backend = self.build(spec, weights, padding=padding)
            for size in ((side, side), (side, 3 * side)):
                assert set(backend.features(backend.asarray(photo(*size)), spec.layer_names)) == set(
                    spec.layer_names
                ), padding

    def test_every_allowed_value_of_an_option_works(self, spec: BackendSpec, weights: Any) -> None:
        """Every value that is allowed works."""
        side = shortest_side(spec.layers)
        for options in bounds(spec):
            backend = self.build(spec, weights, **options)
            assert set(backend.features(backend.asarray(photo(side, side)), spec.layer_names)) == set(
                spec.layer_names
            ), options

    def test_asarray_keeps_the_shape(self, backend: FeatureBackend) -> None:
        """Put an image, or a float32 array of any shape, where the backend computes."""
        for shape in ((6, 8, 3), (5, 7, 3), (1, 1, 3), (4, 5), (7,), (2, 3, 4, 5)):
            assert tuple(backend.asarray(np.ones(shape, np.float32)).shape) == shape

    def test_image_is_not_shared_with_its_pixels(self, backend: FeatureBackend) -> None:
        """The input is not changed, nor shared with the result."""
        pixels = photo(6, 8)
        image = backend.asarray(pixels)
        np.testing.assert_array_equal(pixels, photo(6, 8))
        before = backend.to_numpy(image).copy()
        pixels[:] = 0.123
        np.testing.assert_array_equal(backend.to_numpy(image), before)

    def test_pixels_are_clipped(self, backend: FeatureBackend) -> None:
        """Bring an image back as `Pixels`, clipped to 0..1."""
        beyond = photo(5, 7) * 3 - 1
        returned = backend.to_numpy(backend.asarray(beyond))
        assert_pixels(returned, (5, 7))
        assert (returned[beyond <= 0] == 0).all()
        assert (returned[beyond >= 1] == 1).all()

    def test_pixels_come_back_as_they_were(self, backend: FeatureBackend) -> None:
        """What `asarray` put there comes back as it was."""
        for pixels in (photo(5, 7), flat(0.0, 2, 2), flat(1.0, 1, 1)):
            np.testing.assert_array_equal(backend.to_numpy(backend.asarray(pixels)), pixels)

    def test_any_array_comes_back_as_it_was(self, backend: FeatureBackend) -> None:
        """Bring any array back as it is, of its own shape and not clipped: `asarray` of it is that array again."""
        for shape in ((5, 7, 3), (1, 1, 3), (7,), (2, 3, 4, 5)):
            array = np.linspace(-2, 3, math.prod(shape), dtype=np.float32).reshape(shape)
            returned = backend.to_host(backend.asarray(array))
            assert returned.dtype == np.float32
            np.testing.assert_array_equal(returned, array)

    def test_features_are_channels_last(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """Activations by layer name, each `(H_l, W_l, C_l)`, channels last; computed to the deepest layer asked for."""
        side = shortest_side(spec.layers)
        wide, high = (shapes(backend, size, spec) for size in ((side, 3 * side), (3 * side, side)))
        for layer in spec.layer_names:
            assert len(wide[layer]) == 3, layer
            assert wide[layer] == (high[layer][1], high[layer][0], high[layer][2]), layer
            assert wide[layer][1] > wide[layer][0], layer

    def test_every_declared_layer_is_given_and_no_other(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """Every layer that the spec declares can be asked for, and only those asked for are given."""
        image = backend.asarray(photo(*[shortest_side(spec.layers)] * 2))
        for layers in (spec.layer_names, spec.layer_names[::-1][:2], spec.layer_names[:1]):
            assert sorted(backend.features(image, layers)) == sorted(layers)

    def test_features_are_computed_to_the_deepest_layer_asked_for(
        self, spec: BackendSpec, backend: FeatureBackend
    ) -> None:
        """Activations by layer name, each `(H_l, W_l, C_l)`, channels last; computed to the deepest layer asked for."""
        for layer in spec.layers:
            image = backend.asarray(photo(layer.least, layer.least))
            assert layer.name in backend.features(image, [layer.name])

    def test_layer_has_a_position_for_each_stride(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """`H_l` and `W_l` are the sides of the image over the layer's stride; a rest of pixels may be one more."""
        side = shortest_side(spec.layers)
        for height, width in ((2 * side, side), (2 * side - 1, side + 3)):
            found = shapes(backend, (height, width), spec)
            for layer in spec.layers:
                for length, positions in zip((height, width), found[layer.name], strict=False):
                    assert positions in {length // layer.stride, -(-length // layer.stride)}, layer

    def test_sides_are_rounded_down_in_a_vgg(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """In a VGG they are rounded down."""
        height, width = 2 * shortest_side(spec.layers) - 1, shortest_side(spec.layers) + 3
        found = shapes(backend, (height, width), spec)
        for layer in spec.layers:
            if layer.name in VGG:
                assert found[layer.name][:2] == (height // layer.stride, width // layer.stride), layer

    def test_position_sees_no_further_than_its_reach(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """A position sees no pixel further away than the layer's reach."""
        for layer in spec.layers:
            middle, length = layer.reach // layer.stride + 1, layer.reach + layer.stride
            side = max(layer.least, (2 * middle + 1) * layer.stride)
            image, changed = photo(side, side), photo(side, side)
            far = (middle + 1) * layer.stride + layer.reach
            changed[far:], changed[: middle * layer.stride - layer.reach] = 0.5, 0.5
            before, after = (backend.features(backend.asarray(x), [layer.name])[layer.name] for x in (image, changed))
            before, after = backend.to_host(before[middle]), backend.to_host(after[middle])
            assert np.abs(before - after).max() <= 1e-3 * np.abs(before).max(), f"{layer}: it sees beyond {length} px"

    def test_conv_is_before_the_relu(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """`conv4_2` is before the ReLU, `relu4_2` after it."""
        pairs = [(name, f"relu{name[4:]}") for name in spec.layer_names if name in VGG and name.startswith("conv")]
        for conv, relu in ((conv, relu) for conv, relu in pairs if relu in spec.layer_names):
            image = backend.asarray(photo(*[2 * spec.select([conv])[0].stride + 3] * 2))
            features = backend.features(image, (conv, relu))
            values = {name: backend.to_host(features[name]) for name in (conv, relu)}
            assert values[conv].min() < 0, conv
            np.testing.assert_allclose(values[relu], np.maximum(values[conv], 0), rtol=1e-6, err_msg=relu)

    def test_smallest_image_leaves_one_position(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """The smallest image is `nst.geometry.shortest_side` of the layers wide and high, and leaves one
        position at the deepest.
        """
        side = shortest_side(spec.layers)
        assert all(min(shape) >= 1 for shape in shapes(backend, (side, side), spec).values())

    def test_smaller_image_is_refused(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """A smaller image is refused with `UserError`, or has a position at each layer too."""
        side = shortest_side(spec.layers)
        for size in ((side - 1, 2 * side), (2 * side, side - 1)) if side > 1 else ():
            with suppress(UserError):
                assert all(min(shape) >= 1 for shape in shapes(backend, size, spec).values()), size

    def test_loss_is_the_sum_of_its_terms(self, backend: FeatureBackend) -> None:
        """Make the objective whose value is the sum of the scalars `loss` returns."""
        image = photo(5, 7)
        objective = backend.value_and_grad(lambda x: {"one": backend.xp.sum(x), "two": 3 * backend.xp.mean(x * x)})
        evaluation = objective(backend.asarray(image))
        assert evaluation.terms == pytest.approx({"one": image.sum(), "two": 3 * (image**2).mean()}, rel=self.tolerance)
        assert evaluation.loss == pytest.approx(sum(evaluation.terms.values()))
        assert all(isinstance(number, float) for number in (evaluation.loss, *evaluation.terms.values()))

    def test_gradient_is_of_the_image_s_kind_and_shape(self, backend: FeatureBackend) -> None:
        """The objective takes an `Array` or a NumPy array of one size and returns the gradient in the same kind."""
        for image in (backend.asarray(photo(5, 7)), photo(5, 7)):
            gradient = sum_of_squares(backend)(image).gradient
            assert isinstance(gradient, type(image))
            assert tuple(gradient.shape) == (5, 7, 3)
            np.testing.assert_allclose(backend.to_host(gradient), 2 * photo(5, 7), rtol=self.tolerance)

    def test_gradient_is_the_slope_of_the_loss(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """The gradient is the slope of the loss."""
        first, deep = spec.layers[0], spec.layers[len(spec.layers) // 4]  # deeper there are more bends than slopes
        side = max(16, deep.least + 1)
        for layer in (first.name, deep.name):
            size = math.sqrt(backend.value_and_grad(self._mean_square(backend, layer))(photo(side, side + 3)).loss)
            objective = backend.value_and_grad(self._mean_square(backend, layer, offset=size))
            self._check_slope(backend, objective, photo(side, side + 3))

    def _mean_square(
        self, backend: FeatureBackend, *layers: str, offset: float = 0.0
    ) -> Callable[[Tensor], Mapping[str, Tensor]]:
        """Return a loss on features; with an `offset` its gradient is not 0 at 0, where a square alone hides errors."""

        def loss(image: Tensor) -> Mapping[str, Tensor]:
            features = backend.features(image, layers)
            return {layer: backend.xp.mean(backend.xp.square(features[layer] + offset)) for layer in layers}

        return loss

    def _check_slope(self, backend: FeatureBackend, objective: Any, image: Any) -> None:
        """Check the slope along most directions of ones and minus ones; some directions cross a kink."""
        exact = backend.precision in ("float32", "float64")
        tolerance, step = (self.slope_tolerance, 3e-4) if exact else (self.coarse_slope_tolerance, 1e-2)
        gradient = np.asarray(objective(image).gradient, np.float64)
        errors = []
        for seed in range(7):
            direction = np.random.default_rng(seed).choice([-1, 1], image.shape).astype(np.float32)
            ahead, behind = (objective(image + np.float32(way) * direction).loss for way in (step, -step))
            errors.append(abs((ahead - behind) / (2 * step) - (gradient * direction).sum()))
        assert np.median(errors) <= tolerance * np.linalg.norm(gradient)

    def test_free_memory_is_a_number_of_bytes_or_none(self, backend: Any) -> None:
        """A backend with memory of its own may also have `free_memory() -> int | None`, the bytes there that this
        process can hold in all: pictures that need more are computed in tiles from the start.
        """
        free = getattr(backend, "free_memory", lambda: None)()
        assert free is None or (isinstance(free, int) and free >= 0)

    def test_other_errors_pass_through_memory_errors(self, backend: Any) -> None:
        """Any other error within it is raised as it is."""
        for error in (KeyError("a"), ValueError("b"), RuntimeError("c"), UserError("d")):
            with pytest.raises(type(error)) as caught, memory_errors(backend):
                raise error
            assert caught.value is error

    def test_what_was_left_behind_is_let_go_and_nothing_else(self, backend: Any) -> None:
        """Any may have `empty_cache() -> None`, called after an evaluation that raised `MemoryError`, to give back what
        that has left behind.
        """
        objective = sum_of_squares(backend)
        before = objective(photo(5, 7)).loss
        getattr(backend, "empty_cache", lambda: None)()
        for after in (objective, sum_of_squares(backend)):
            assert after(photo(5, 7)).loss == pytest.approx(before, rel=self.tolerance)

    def test_gradient_is_finite_on_flat_pictures_and_beyond_0_to_1(
        self, spec: BackendSpec, backend: FeatureBackend
    ) -> None:
        """It is finite on flat pictures and beyond 0..1."""
        side = shortest_side(spec.layers)
        objective = backend.value_and_grad(self._mean_square(backend, *spec.layer_names))
        for value in (0.0, 0.5, 1.0, -0.5, 1.5):
            evaluation = objective(flat(value, side, side + 1))
            assert all(map(math.isfinite, evaluation.terms.values())), f"{evaluation.terms} at {value}"
            assert np.isfinite(evaluation.gradient).all(), f"at {value}"

    def test_image_is_not_written_to(self, backend: FeatureBackend) -> None:
        """The image is not written to."""
        for image in (photo(5, 7), backend.asarray(photo(5, 7))):
            before = backend.to_numpy(image).copy()
            sum_of_squares(backend)(image)
            np.testing.assert_array_equal(backend.to_numpy(image), before)

    def test_gradient_returned_is_not_written_to_later(self, backend: FeatureBackend) -> None:
        """A gradient that was returned is not written to later."""
        objective = sum_of_squares(backend)
        for convert in (backend.asarray, np.array):
            gradient = objective(convert(photo(5, 7))).gradient
            before = backend.to_host(gradient).copy()
            objective(convert(photo(5, 7, seed=1)))
            np.testing.assert_array_equal(backend.to_host(gradient), before)

    def test_same_image_gives_the_same_numbers(self, spec: BackendSpec, backend: FeatureBackend) -> None:
        """On the CPU the same image gives the same numbers."""
        side = shortest_side(spec.layers)
        objective = backend.value_and_grad(self._mean_square(backend, spec.layer_names[-1]))
        evaluations = [objective(photo(side, 2 * side)) for _ in range(3)]
        assert len({(evaluation.loss, evaluation.gradient.tobytes()) for evaluation in evaluations}) == 1

    def test_further_arguments_reach_the_loss(self, backend: FeatureBackend) -> None:
        """`objective(image, *parameters)` calls `loss(image, *parameters)`, NumPy's arrays among the parameters made
        the backend's own.
        """
        objective = backend.value_and_grad(lambda x, a, b: {"all": backend.xp.sum(x * a * backend.xp.sum(b))})
        image = photo(5, 7)
        for factor, others in ((2.0, (3,)), (5.0, (3,)), (5.0, (2, 4))):
            a, b = np.full(image.shape, factor, np.float32), np.ones(others, np.float32)
            for operands in ((a, b), (backend.asarray(a), b)):
                expected = float((image * a).sum() * b.sum())
                assert objective(image, *operands).loss == pytest.approx(expected, rel=self.tolerance)

    def test_gradient_is_with_respect_to_the_image_alone(self, backend: FeatureBackend) -> None:
        """The gradient is with respect to the image alone."""
        objective = backend.value_and_grad(lambda x, a: {"all": backend.xp.sum(x * a)})
        factor = photo(5, 7, seed=1)
        gradient = objective(photo(5, 7), factor).gradient
        np.testing.assert_allclose(np.asarray(gradient), factor, rtol=self.tolerance)

    @pytest.mark.parametrize("shape", [(4,), (2, 3), (2, 3, 4, 5), (1, 1, 8)], ids=str)
    def test_image_may_have_any_shape(self, backend: FeatureBackend, shape: tuple[int, ...]) -> None:
        """What is given for the image may have any shape."""
        x = np.arange(np.prod(shape), dtype=np.float32).reshape(shape)
        np.testing.assert_allclose(np.asarray(sum_of_squares(backend)(x).gradient), 2 * x, rtol=self.tolerance)


def sum_of_squares(backend: FeatureBackend) -> Any:
    """Return the objective that is the sum of squares of its image; its gradient is twice the image."""
    return backend.value_and_grad(lambda image: {"all": backend.xp.sum(backend.xp.square(image))})


def shapes(backend: FeatureBackend, size: tuple[int, int], spec: BackendSpec) -> dict[str, tuple[int, ...]]:
    """Return the shape of every declared layer for an image size."""
    features = backend.features(backend.asarray(photo(*size)), spec.layer_names)
    return {layer: tuple(features[layer].shape) for layer in spec.layer_names}
