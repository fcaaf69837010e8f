"""The TensorFlow VGG computes what its framework's own does, and keeps nothing."""

from __future__ import annotations

import gc

import numpy as np
import pytest

from nst.testing.vggs import USES, drawn_to
from nst.vgg import CAFFE, Network, convolutions
from nst_keras.keras_import import keras
from nst_keras.tensorflow_import import tensorflow as tf
from nst_keras.vgg import VGG

pytestmark = pytest.mark.frameworks


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
    objective = drawn_to(backend, [USES["gram"]], photo(20, 20, seed=1))
    ours, theirs = objective(backend.asarray(photo(20, 20))), objective(tf.constant(photo(20, 20)))
    assert isinstance(ours.gradient, np.ndarray)
    assert isinstance(theirs.gradient, tf.Tensor)
    np.testing.assert_array_equal(ours.gradient, theirs.gradient.numpy())


def test_the_same_image_gives_the_same_bytes(make_network, photo):
    backend = VGG(make_network(), device="cpu", precision="float32")
    found = set()
    for _ in range(3):
        objective = drawn_to(backend, [USES["gram"]], photo(150, 170, seed=1))
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
    objective = drawn_to(backend, [USES["gram"]], photo(20, 20, seed=1))
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
        drawn_to(backend, [USES["gram"]], photo(side, 20, seed=1))(photo(side, 20))
    assert not caplog.records


def test_nothing_is_kept_after_an_evaluation(make_network, photo):
    """Targets and features of one run must not pile up over the next."""
    backend = VGG(make_network(), device="cpu", precision="float32")
    objective = drawn_to(backend, [USES["gram"]], photo(32, 32, seed=1))
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
        drawn_to(backend, [USES["content"]], photo(32, 32, seed=1))(photo(32, 32))
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
