"""The reference backend is what it says: a VGG, straight from its definition."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage
from scipy.signal import correlate

from nst.errors import UserError
from nst.vgg.reference import NAMES, ReferenceVGG


def test_a_convolution_is_a_correlation_with_zeros_around(make_network, photo):
    network, image = make_network(), photo(6, 7)
    pre = network.preprocessing
    x = (image.astype(np.float64) * pre.scale - pre.mean) / pre.std
    kernel = network.kernels["conv1_1"][2].transpose(1, 2, 0).astype(np.float64)
    expected = sum(correlate(x[..., c], kernel[..., c], "same") for c in range(3)) + network.biases["conv1_1"][2]
    found = ReferenceVGG(network).features(image, ["conv1_1"])["conv1_1"]
    np.testing.assert_allclose(found[..., 2], expected)


@pytest.mark.parametrize(("padding", "boundary"), [("reflect", "mirror"), ("replicate", "nearest")])
def test_what_lies_around_may_be_the_edge_itself(make_network, photo, padding, boundary):
    """SciPy's `mirror` leaves out the edge, as reflection does."""
    network, image = make_network(preprocessing="unit"), photo(6, 7)
    x = image.astype(np.float64)
    kernel = network.kernels["conv1_1"][2].transpose(1, 2, 0).astype(np.float64)
    expected = sum(ndimage.correlate(x[..., c], kernel[..., c], mode=boundary) for c in range(3))
    found = ReferenceVGG(network, padding=padding).features(image, ["conv1_1"])["conv1_1"]
    np.testing.assert_allclose(found[..., 2], expected + network.biases["conv1_1"][2])


def test_a_single_position_is_its_own_mirror_image(make_network, photo):
    """A row has no second row to show in the mirror; with two of them, mirrored and repeated are not the same."""
    mirrored, repeated = (ReferenceVGG(make_network(), padding=padding) for padding in ("reflect", "replicate"))
    for height, alike in ((1, True), (2, False)):
        found, other = (each.features(photo(height, 5), ["conv1_1"])["conv1_1"] for each in (mirrored, repeated))
        assert np.array_equal(found, other) == alike


def test_caffe_takes_bgr_around_its_mean(make_network):
    network = make_network(preprocessing="caffe")
    mean_rgb = np.array(network.preprocessing.mean)[::-1] / 255
    at_mean = np.broadcast_to(mean_rgb, (4, 4, 3))
    found = ReferenceVGG(network).features(at_mean, ["conv1_1"])["conv1_1"]
    np.testing.assert_allclose(found, np.broadcast_to(network.biases["conv1_1"], found.shape), atol=1e-5)


@pytest.mark.parametrize(
    ("pooling", "reduce"), [("max", np.max), ("average", lambda x, axis: 1.5 * np.mean(x, axis=axis))]
)
def test_pools_halve_and_leave_out_an_odd_edge(make_network, photo, pooling, reduce):
    found = ReferenceVGG(make_network(), pooling=pooling).features(photo(7, 9), ["relu1_2", "pool1"])
    blocks = found["relu1_2"][:6, :8].reshape(3, 2, 4, 2, -1)
    np.testing.assert_allclose(found["pool1"], reduce(blocks, axis=(1, 3)))


def test_conv_taps_are_before_the_relu(make_network, photo):
    found = ReferenceVGG(make_network()).features(photo(), ["conv3_1", "relu3_1"])
    assert found["conv3_1"].min() < 0
    np.testing.assert_array_equal(found["relu3_1"], np.maximum(found["conv3_1"], 0))


def test_the_gradient_of_a_sum_of_squares_is_twice_the_image(make_network, photo):
    backend = ReferenceVGG(make_network())
    found = backend.value_and_grad(lambda image: {"square": np.sum(image**2)})(photo(3, 4))
    np.testing.assert_allclose(found.gradient, 2 * photo(3, 4), rtol=1e-6)
    assert found.loss == pytest.approx(np.sum(photo(3, 4).astype(float) ** 2))


def test_the_namespace_holds_what_the_protocol_promises_and_no_more():
    from nst.protocols import Namespace

    promised = {name for name in vars(Namespace) if not name.startswith("_")}
    assert promised == set(NAMES) == set(vars(ReferenceVGG.xp))


def test_further_arguments_reach_the_loss_and_have_no_gradient(make_network):
    objective = ReferenceVGG(make_network()).value_and_grad(lambda x, factor: {"all": np.sum(factor * x)})
    for factor in (np.array([2.0, 3.0]), np.array([5.0, 7.0])):
        found = objective(np.ones(2), factor)
        assert found.loss == factor.sum()
        np.testing.assert_allclose(found.gradient, factor, rtol=1e-8)


def test_a_picture_too_small_is_refused(make_network, photo):
    with pytest.raises(UserError, match="pool5"):
        ReferenceVGG(make_network()).features(photo(31, 32), ["pool5"])
