"""The TensorFlow VGG is the reference VGG, faster: same features, same losses, same gradients."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from nst.architectures import convolutions, layers
from nst.losses.content import Content
from nst.losses.content_cosine import ContentCosine
from nst.losses.gram import Gram
from nst.losses.histogram import Histogram
from nst.losses.mean_std import MeanStd
from nst.losses.range import Range
from nst.losses.total_variation import TotalVariation
from nst.losses.wasserstein import Wasserstein
from nst.network import Network
from nst.objective import build_objective
from nst.preprocessing import CAFFE
from nst.reference import ReferenceVGG
from nst.terms import LossUse, Region, pointwise_terms, style_terms
from nst.tiles import cut, whole
from nst_keras.keras_import import keras
from nst_keras.tensorflow_import import tensorflow as tf
from nst_keras.vgg import VGG

pytestmark = pytest.mark.frameworks

USES = {
    "style": LossUse("style", Gram(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "mean-std": LossUse("mean-std", MeanStd(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "wasserstein": LossUse("wasserstein", Wasserstein(), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "histogram": LossUse("histogram", Histogram(8), {"relu1_1": 0.5, "conv2_1": 0.5}, 100.0),
    "content": LossUse("content", Content(), {"relu2_2": 1.0}, 10.0),
    "content-cosine": LossUse("content-cosine", ContentCosine(), {"relu2_2": 1.0}, 10.0),
    "range": LossUse("range", Range(), {"image": 1.0}, 1000.0),
    "total-variation": LossUse("total-variation", TotalVariation(), {"image": 1.0}, 3.0),
}

ONE = whole((512, 512))  # any picture in one piece


def terms(backend, use, target):
    if hasattr(use.loss, "statistic"):
        return style_terms(backend, use, Region([target], [1.0]), ONE)
    return pointwise_terms(backend, use, target, ONE)


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
@pytest.mark.parametrize("preprocessing", ["torchvision", "caffe", "unit"])
@pytest.mark.parametrize("pooling", ["max", "average"])
def test_every_layer_is_the_reference_s(make_network, photo, architecture, preprocessing, pooling):
    network = make_network(architecture, preprocessing)
    names = layers(architecture)
    ours = VGG(network, device="cpu", precision="float32", pooling=pooling)
    found = ours.features(ours.asarray(photo(45, 37)), names)
    expected = ReferenceVGG(network, pooling=pooling).features(photo(45, 37), names)
    for name in names:
        error = np.linalg.norm(found[name].numpy() - expected[name]) / np.linalg.norm(expected[name])
        assert error < 1e-5, name


@pytest.mark.parametrize("padding", ["reflect", "replicate"])
@pytest.mark.parametrize("shape", [(45, 37), (16, 40), (32, 33)])
def test_every_layer_is_the_reference_s_with_any_padding(make_network, photo, padding, shape):
    """A single position at the deepest layer, and two of them, too."""
    network, names = make_network(), ["conv1_1", "relu2_2", "pool3", "relu4_2", "relu5_4"]
    ours = VGG(network, device="cpu", precision="float32", padding=padding)
    found = ours.features(ours.asarray(photo(*shape)), names)
    expected = ReferenceVGG(network, padding=padding).features(photo(*shape), names)
    for name in names:
        error = np.linalg.norm(found[name].numpy() - expected[name]) / np.linalg.norm(expected[name])
        assert error < 1e-5, name


@pytest.mark.parametrize("padding", ["reflect", "replicate"])
def test_gradients_are_the_reference_s_with_any_padding(make_network, photo, padding):
    network, use = make_network(), USES["style"]
    ours = VGG(network, device="cpu", precision="float32", padding=padding)
    reference = ReferenceVGG(network, padding=padding)
    found = build_objective(ours, terms(ours, use, photo(6, 7, seed=1)), ONE)(photo(6, 7))
    expected = build_objective(reference, terms(reference, use, photo(6, 7, seed=1)), ONE)(photo(6, 7))
    scale = np.abs(expected.gradient).max()
    np.testing.assert_allclose(found.gradient / scale, expected.gradient / scale, atol=1e-4)


@pytest.mark.parametrize("name", USES)
def test_losses_and_gradients_are_the_reference_s(make_network, photo, name):
    network, image, target = make_network(), 1.3 * photo(6, 7) - 0.2, photo(6, 7, seed=1)  # beyond 0..1 too
    ours, reference = VGG(network, device="cpu", precision="float32"), ReferenceVGG(network)
    found = build_objective(ours, terms(ours, USES[name], target), ONE)(ours.asarray(image))
    expected = build_objective(reference, terms(reference, USES[name], target), ONE)(image)
    assert found.loss == pytest.approx(expected.loss, rel=1e-5)
    scale = np.abs(expected.gradient).max()
    np.testing.assert_allclose(found.gradient / scale, expected.gradient / scale, atol=1e-4)


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_features_are_keras_applications_own(photo, architecture):
    """Random weights in Keras' model, read as ours: what it calls block4_conv2 is our relu4_2, pools are pools."""
    keras.utils.set_random_seed(0)
    application = getattr(keras.applications, architecture)
    model = getattr(application, architecture.upper())(weights=None, include_top=False)
    names = [layer.name for layer in model.layers[1:]]
    ours = [ours_of(name) for name in names]
    backend = VGG(network_of(model, architecture), device="cpu", precision="float32")
    found = backend.features(backend.asarray(photo(50, 67)), ours)
    outputs = keras.Model(model.input, [model.get_layer(name).output for name in names])
    expected = outputs(application.preprocess_input(photo(50, 67)[None] * 255.0))
    for name, activation in zip(ours, expected, strict=True):
        scale = np.abs(activation).max()
        np.testing.assert_allclose(found[name] / scale, activation[0] / scale, atol=2e-5, err_msg=name)


def ours_of(name):
    """`relu4_2` for `block4_conv2`, `pool4` for `block4_pool`."""
    block, kind = name.removeprefix("block").split("_")
    return f"pool{block}" if kind == "pool" else f"relu{block}_{kind.removeprefix('conv')}"


def network_of(model, architecture):
    weights = [layer.get_weights() for layer in model.layers if layer.get_weights()]
    named = dict(zip(convolutions(architecture), weights, strict=True))
    kernels = {name: kernel.transpose(3, 2, 0, 1) for name, (kernel, _) in named.items()}
    return Network(architecture, CAFFE, kernels, {name: bias for name, (_, bias) in named.items()}, "random", "CC0-1.0")


def test_a_tensor_gives_a_tensor(make_network, photo):
    """Where NumPy's arrays, which are the backend's own, give NumPy's."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES["style"], photo(20, 20, seed=1)), ONE)
    ours, theirs = objective(backend.asarray(photo(20, 20))), objective(tf.constant(photo(20, 20)))
    assert isinstance(ours.gradient, np.ndarray)
    assert isinstance(theirs.gradient, tf.Tensor)
    np.testing.assert_array_equal(ours.gradient, theirs.gradient.numpy())


def test_the_same_image_gives_the_same_bytes(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")
    found = set()
    for _ in range(3):
        objective = build_objective(backend, terms(backend, USES["style"], photo(150, 170, seed=1)), ONE)
        found |= {(each.loss, each.gradient.tobytes()) for each in (objective(photo(150, 170)) for _ in range(3))}
    assert len(found) == 1


def test_tensors_and_float64_come_back_as_pixels_too(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")
    beyond = backend.to_numpy(tf.constant([[[-1.0, 0.5, 2.0]]]))
    np.testing.assert_array_equal(beyond, np.array([[[0, 0.5, 1]]], np.float32))
    assert backend.to_numpy(photo().astype(np.float64)).dtype == np.float32


def test_the_gradient_is_the_caller_s_to_write_to(make_network, photo):
    """`lbfgs` and `scipy-lbfgs` keep gradients and work on them."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES["style"], photo(20, 20, seed=1)), ONE)
    gradient = objective(photo(20, 20)).gradient
    gradient += 1


def test_a_size_is_traced_once(make_network, photo):
    backend, traces = VGG(make_network(), device="cpu", precision="float32"), []

    def loss(image):
        traces.append(image.shape)
        return {"mean": backend.xp.mean(backend.features(image, ["relu2_1"])["relu2_1"])}

    objective = backend.value_and_grad(loss)
    for shape in [(24, 32), (24, 32), (33, 25), (24, 32), (33, 25)]:
        assert objective(photo(*shape)).gradient.shape == (*shape, 3)
        objective(tf.constant(photo(*shape)))
    assert traces == [(24, 32, 3), (33, 25, 3)]


def test_many_sizes_do_not_alarm_tensorflow(make_network, photo, caplog):
    """TensorFlow warns of functions traced again and again; one size after the other is as it should be."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    for side in range(16, 26):
        build_objective(backend, terms(backend, USES["style"], photo(side, 20, seed=1)), ONE)(photo(side, 20))
    assert not caplog.records


def test_nothing_is_kept_after_an_evaluation(make_network, photo):
    """Targets and features of one run must not pile up over the next."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = build_objective(backend, terms(backend, USES["style"], photo(32, 32, seed=1)), ONE)
    counts = []
    for _ in range(4):
        objective(backend.asarray(photo(32, 32)))
        gc.collect()
        counts.append(sum(isinstance(thing, tf.Tensor) for thing in gc.get_objects()))
    assert counts[1] == counts[-1]


def test_a_size_that_is_done_is_let_go(make_network, photo):
    """Its targets and its traced function too."""
    backend, counts = VGG(make_network(), device="cpu", precision="float32"), []
    for _ in range(4):
        build_objective(backend, terms(backend, USES["content"], photo(32, 32, seed=1)), ONE)(photo(32, 32))
        gc.collect()
        counts.append(sum(isinstance(thing, tf.Tensor) for thing in gc.get_objects()))
    assert counts[1] == counts[-1]


def test_features_are_the_same_of_numpy_s_arrays_tensorflow_s_and_traced(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")

    def feature(image):
        return backend.features(image, ["relu3_1"])["relu3_1"]

    expected = feature(photo())
    np.testing.assert_array_equal(feature(tf.constant(photo())), expected)
    np.testing.assert_allclose(tf.function(feature)(tf.constant(photo())), expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("shape", [(333, 250), (256, 320)])
def test_the_gradient_in_tiles_is_that_of_the_whole_picture(make_network, photo, shape):
    """Exact tiling: within 1e-4 of the largest gradient in float32, at all depths, with halos and odd sizes."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    layers = {f"relu{block}_1": 0.2 for block in range(1, 6)}
    style, content = LossUse("gram", Gram(), layers, 100.0), LossUse("content", Content(), {"relu4_2": 1.0}, 10.0)

    def evaluate(size):
        tiles = cut(shape, size, [*layers, "relu4_2"])
        terms = style_terms(backend, style, Region([photo(200, 240, seed=1)], [1.0]), tiles, size)
        terms += pointwise_terms(backend, content, photo(*shape), tiles)
        return build_objective(backend, terms, tiles)(backend.asarray(photo(*shape, seed=2)))

    whole, tiled = evaluate(0), evaluate(96)
    assert tiled.loss == pytest.approx(whole.loss, rel=1e-5)
    assert float(abs(tiled.gradient - whole.gradient).max()) < 1e-4 * float(abs(whole.gradient).max())
