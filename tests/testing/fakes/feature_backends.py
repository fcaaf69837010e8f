"""Feature extractors: a good one, and one with each defect. `breaks` names the tests that find it out, its own first.

The good one is two layers of 1×1 convolutions in NumPy, differentiated by the kit's own tape.
"""

from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from nst.errors import UserError
from nst.geometry import Layer, require_size
from nst.protocols import Evaluation
from nst.specs import BackendSpec, Option
from nst.testing import FeatureBackendSuite
from nst.testing.immutable import ImmutableArray
from nst.testing.tape import Tape, TapeNamespace, gradient
from nst.vgg.architecture import select

STRIDES = {"conv1_1": 1, "relu1_1": 1, "pool1": 2, "conv2_1": 2, "relu2_1": 2, "pool2": 4}
LAYERS = tuple(Layer(name, stride, reach=0) for name, stride in STRIDES.items())
DEVICES = ("auto", "cpu", "cuda")


@dataclass(frozen=True)
class Ready(BackendSpec):
    thing: Any = None

    def load(self):
        return self.thing


class Fake(FeatureBackendSuite):
    breaks = ()
    padding, precisions = (), ("float64",)

    @classmethod
    def specs(cls):
        gain = Option("gain", 1.0, "of the first layer", 0.5, 2)
        given = {"options": (gain,), "layers": LAYERS, "devices": DEVICES, "pooling": ("max", "average")}
        promised = {"padding": cls.padding, "precisions": cls.precisions}
        return [Ready("fake", "fake:fake", **given, **promised, thing=cls.Net)]

    @pytest.fixture(scope="class")
    @classmethod
    def weights(cls):
        rng = np.random.default_rng(0)
        return rng.normal(size=(3, 4)), rng.normal(size=(4, 5))


class Image(ImmutableArray):
    """The backend's own kind of array, which nobody can write to."""


class Tiny:
    """Two 1×1 convolutions with ReLUs and pools."""

    xp = TapeNamespace()
    precision, notes = "float64", ("slow",)

    def __init__(self, weights, *, device="auto", pooling="max", precision="auto", gain=1.0):
        if device == "cuda":
            raise UserError("no GPU")
        self.device, self.pooling = "cpu", {"max": np.maximum, "average": np.add}[pooling]
        self.kernels = (gain * weights[0], weights[1])

    def asarray(self, pixels):
        return np.array(pixels, np.float32).view(Image)

    def to_numpy(self, image):
        return np.ascontiguousarray(np.asarray(image).clip(0, 1), np.float32)

    def to_host(self, array):
        return np.array(array, np.float32)

    def features(self, image, layers):
        self.check(image, layers)
        found, x = {}, image
        for block, kernel in enumerate(self.kernels, start=1):
            conv = self.xp.matmul(x, kernel) - 0.1
            relu = self.relu(conv)
            x = self.pool(relu)
            found |= {f"conv{block}_1": conv, f"relu{block}_1": relu, f"pool{block}": x}
        return self.given(found, layers)

    def check(self, image, layers):
        require_size(image.shape, select(layers))

    def given(self, found, layers):
        return {layer: found[layer] for layer in layers}

    def relu(self, x):
        return self.xp.maximum(x, 0 * x)

    def pool(self, x):
        height, width = (side // 2 * 2 for side in x.shape[:2])
        corners = [x[i:height:2, j:width:2] for i in (0, 1) for j in (0, 1)]
        if self.pooling is np.add:
            return sum(corners[1:], corners[0]) / 4
        return self.xp.maximum(self.xp.maximum(*corners[:2]), self.xp.maximum(*corners[2:]))

    def value_and_grad(self, loss):
        def objective(image, *parameters):
            leaf = Tape(image)
            terms = loss(leaf, *(np.asarray(each, np.float64) for each in parameters))
            slope = gradient(sum(terms.values()), leaf).astype(np.float32)
            named = {name: float(term.value) for name, term in terms.items()}
            return Evaluation(sum(named.values()), named, slope.view(type(image)))

        return objective

    def peak_memory(self):
        return None


def spoiled(**names):
    """The namespace with other functions."""
    functions = {name: getattr(Tiny.xp, name) for name in dir(Tiny.xp) if not name.startswith("_")}
    return SimpleNamespace(**functions | names)


class Changed(Tiny):
    """Whose objective is the good one, its evaluation changed."""

    def value_and_grad(self, loss):
        objective = super().value_and_grad(loss)
        return lambda image, *parameters: self.changed(image, objective(image, *parameters))


class TestGood(Fake):
    Net = Tiny


class TestOnNoDevice(Fake):
    breaks = ("test_device_is_used_or_refused",)

    class Net(Tiny):
        def __init__(self, weights, *, device="auto", **given):
            super().__init__(weights, **given)
            self.device = device


class TestOneNote(Fake):
    breaks = ("test_tells_its_device_precision_and_notes",)

    class Net(Tiny):
        notes = "slow"


class TestMemoryInGigabytes(Fake):
    breaks = ("test_peak_memory_is_a_number_of_bytes_or_none",)

    class Net(Tiny):
        def peak_memory(self):
            return 0.3


class TestFreeMemoryInGigabytes(Fake):
    breaks = ("test_free_memory_is_a_number_of_bytes_or_none",)

    class Net(Tiny):
        def free_memory(self):
            return 0.3


class TestTakesAnyErrorForWantOfMemory(Fake):
    breaks = ("test_other_errors_pass_through_memory_errors",)

    class Net(Tiny):
        @contextmanager
        def memory_errors(self):
            try:
                yield
            except RuntimeError as error:
                raise MemoryError(str(error)) from error


class TestLetsGoOfItsWeights(Fake):
    breaks = ("test_what_was_left_behind_is_let_go_and_nothing_else",)

    class Net(Changed):
        gone = False

        def empty_cache(self):
            self.gone = True

        def changed(self, image, found):
            gone, self.gone = self.gone, False
            return replace(found, loss=0.0) if gone else found


class TestMaxPoolsOnly(Fake):
    breaks = ("test_factory_takes_weights_device_pooling_and_options",)

    class Net(Tiny):
        def __init__(self, weights, *, device="auto", pooling="max", precision="auto", gain=1.0):
            super().__init__(weights, device=device, pooling={"max": "max"}[pooling], gain=gain)


class TestHasOnePrecisionOnly(Fake):
    breaks = ("test_factory_takes_weights_device_pooling_and_options",)
    precisions = ("float64", "bfloat16")

    class Net(Tiny):
        def __init__(self, weights, *, precision="auto", **given):
            super().__init__(weights, **given)
            self.precision = {"auto": "float64", "float64": "float64"}[precision]


class TestPadsAsItLikes(Fake):
    breaks = ("test_factory_takes_every_padding_its_spec_names",)
    padding = ("zero", "reflect")

    class Net(Tiny):
        def __init__(self, weights, *, padding="zero", **given):
            super().__init__(weights, **given)
            self.padding = {"zero": 0}[padding]


class TestFailsAtABound(Fake):
    breaks = ("test_every_allowed_value_of_an_option_works",)

    class Net(Tiny):
        def __init__(self, weights, *, gain=1.0, **given):
            super().__init__(weights, gain=gain / (gain < 2), **given)
            assert gain < 2


class TestSqueezes(Fake):
    breaks = ("test_asarray_keeps_the_shape", "test_any_array_comes_back_as_it_was")

    class Net(Tiny):
        def asarray(self, pixels):
            return super().asarray(pixels).squeeze()

        def to_numpy(self, image):
            return super().to_numpy(image.reshape(1, 1, 3) if image.ndim == 1 else image)

        def features(self, image, layers):
            return super().features(image.reshape(1, 1, 3) if len(image.shape) == 1 else image, layers)


class TestShares(Fake):
    breaks = ("test_image_is_not_shared_with_its_pixels",)

    class Net(Tiny):
        def asarray(self, pixels):
            return np.asarray(pixels, np.float32).view(Image)


class TestDoesNotClip(Fake):
    breaks = ("test_pixels_are_clipped",)

    class Net(Tiny):
        def to_numpy(self, image):
            return np.array(image, np.float32)


class TestEightBits(Fake):
    breaks = ("test_pixels_come_back_as_they_were",)

    class Net(Tiny):
        def to_numpy(self, image):
            return (super().to_numpy(image) * 255).round() / np.float32(255)


class TestClipsEverything(Fake):
    breaks = ("test_any_array_comes_back_as_it_was",)

    class Net(Tiny):
        def to_host(self, array):
            return np.array(array, np.float32).clip(-1, 3)


class TestChannelsFirst(Fake):
    breaks = (
        "test_features_are_channels_last",
        "test_layer_has_a_position_for_each_stride",
        "test_position_sees_no_further_than_its_reach",
        "test_sides_are_rounded_down_in_a_vgg",
    )

    class Net(Tiny):
        def given(self, found, layers):
            return {layer: self.xp.permute_dims(found[layer], (2, 0, 1)) for layer in layers}


class TestGivesMore(Fake):
    breaks = ("test_every_declared_layer_is_given_and_no_other",)

    class Net(Tiny):
        def given(self, found, layers):
            return found


class TestComputesAll(Fake):
    breaks = (
        "test_features_are_computed_to_the_deepest_layer_asked_for",
        "test_position_sees_no_further_than_its_reach",
    )

    class Net(Tiny):
        def check(self, image, layers):
            require_size(image.shape, select(STRIDES))


class TestRoundsUp(Fake):
    breaks = ("test_sides_are_rounded_down_in_a_vgg",)

    class Net(Tiny):
        def pool(self, x):
            height, width = x.shape[:2]
            x = self.xp.concat([x, x[-1:]]) if height % 2 else x
            return super().pool(self.xp.concat([x, x[:, -1:]], axis=1) if width % 2 else x)


class TestStrideOfAnotherNetwork(Fake):
    breaks = (
        "test_layer_has_a_position_for_each_stride",
        "test_position_sees_no_further_than_its_reach",
        "test_sides_are_rounded_down_in_a_vgg",
    )

    class Net(Tiny):
        def given(self, found, layers):
            return super().given(found | {"pool2": found["relu2_1"]}, layers)


class TestSeesItsNeighbors(Fake):
    breaks = ("test_position_sees_no_further_than_its_reach",)

    class Net(Tiny):
        def features(self, image, layers):
            rows = self.xp.concat([image[1:], image[-1:]]) if len(image.shape) == 3 else image
            return super().features(0.5 * (image + rows), layers)


class TestTapsAfterTheReLU(Fake):
    breaks = ("test_conv_is_before_the_relu",)

    class Net(Tiny):
        def given(self, found, layers):
            return super().given(found | {f"conv{block}_1": found[f"relu{block}_1"] for block in (1, 2)}, layers)


class TestLeavesNothing(Fake):
    breaks = (
        "test_smallest_image_leaves_one_position",
        "test_factory_takes_weights_device_pooling_and_options",
    )

    class Net(Tiny):
        def features(self, image, layers):
            found = super().features(image, layers)
            return {name: x[:0] for name, x in found.items()} if image.shape == (4, 4, 3) else found


class TestTakesAnySize(Fake):
    breaks = ("test_smaller_image_is_refused",)

    class Net(Tiny):
        def check(self, image, layers):
            pass


class TestMeanOfTerms(Fake):
    breaks = ("test_loss_is_the_sum_of_its_terms",)

    class Net(Changed):
        def changed(self, image, found):
            return replace(found, loss=found.loss / len(found.terms)) if len(found.terms) == 2 else found


class TestGradientOfAnotherKind(Fake):
    breaks = ("test_gradient_is_of_the_image_s_kind_and_shape",)

    class Net(Changed):
        def changed(self, image, found):
            return replace(found, gradient=np.asarray(found.gradient))


class TestStraightThrough(Fake):
    breaks = ("test_gradient_is_the_slope_of_the_loss",)

    class Net(Tiny):
        def relu(self, x):
            value = np.asarray(getattr(x, "value", x))
            return x + (np.maximum(value, 0) - value)


class TestDividesByTheSpread(Fake):
    breaks = (
        "test_gradient_is_finite_on_flat_pictures_and_beyond_0_to_1",
        "test_position_sees_no_further_than_its_reach",
    )

    class Net(Tiny):
        def features(self, image, layers):
            centered = image - self.xp.mean(image)
            return super().features(centered / self.xp.sqrt(self.xp.mean(self.xp.square(centered))), layers)


class TestWritesTheImage(Fake):
    breaks = ("test_image_is_not_written_to",)

    class Net(Changed):
        def changed(self, image, found):
            image.flat[0] = 0
            return found


class TestReusesTheGradient(Fake):
    breaks = ("test_gradient_returned_is_not_written_to_later",)

    class Net(Changed):
        kept: Any = None

        def changed(self, image, found):
            if type(self.kept) is not type(found.gradient) or self.kept.shape != found.gradient.shape:
                self.kept = found.gradient
            self.kept.view(np.ndarray)[:] = found.gradient
            return replace(found, gradient=self.kept)


class TestRandom(Fake):
    breaks = ("test_same_image_gives_the_same_numbers",)

    class Net(Changed):
        def changed(self, image, found):
            return replace(found, loss=found.loss * (1 + 1e-9 * np.random.default_rng().random()))


class TestKeepsTheFirstParameters(Fake):
    breaks = ("test_further_arguments_reach_the_loss",)

    class Net(Tiny):
        def value_and_grad(self, loss):
            objective, kept = super().value_and_grad(loss), {}

            def traced(image, *parameters):
                key = tuple(each.shape for each in parameters)
                return objective(image, *kept.setdefault(key, parameters))

            return traced


class TestDifferentiatesTheLast(Fake):
    breaks = (
        "test_gradient_is_with_respect_to_the_image_alone",
        "test_namespace_has_the_gradient_of_what_it_gives",
    )

    class Net(Tiny):
        def value_and_grad(self, loss):
            first = super().value_and_grad(loss)
            last = super().value_and_grad(lambda x, *others: loss(*others, x))

            def objective(image, *parameters):
                if len(parameters) != 1 or parameters[0].shape != image.shape:
                    return first(image, *parameters)
                return replace(first(image, *parameters), gradient=last(parameters[0], image).gradient)

            return objective


class TestTakesPicturesOnly(Fake):
    breaks = ("test_image_may_have_any_shape",)

    class Net(Changed):
        def changed(self, image, found):
            assert image.ndim == 3
            return found


class TestAnotherAbs(Fake):
    breaks = ("test_namespace_gives_what_numpy_gives",)

    class Net(Tiny):
        xp = spoiled(abs=lambda x: Tiny.xp.abs(x) + 1)


class TestLosesASlope(Fake):
    breaks = ("test_namespace_has_the_gradient_of_what_it_gives",)

    class Net(Tiny):
        xp = spoiled(abs=lambda x: 0 * x + np.abs(getattr(x, "value", x)))
