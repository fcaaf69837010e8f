"""bfloat16 is chosen where the hardware has it, and is near enough to float32 to paint the same picture."""

from __future__ import annotations

import numpy as np
import pytest

from nst import Recipe, devices, stylize
from nst.engine.objective import build_objective
from nst.engine.terms import Region, WeightedLoss, style_terms
from nst.engine.tiling import whole
from nst.images.demo_painting import paint_demo
from nst.losses.gram import Gram
from nst.vgg import layer_names
from nst.vgg.architecture import at
from nst.weights import COMPACT
from nst_keras import precision
from nst_keras.tensorflow_import import tensorflow as tf
from nst_keras.vgg import VGG

pytestmark = pytest.mark.frameworks


@pytest.fixture(scope="module")
def both():
    """The compact network in either precision."""
    return [VGG(COMPACT.load(), device="cpu", precision=name) for name in ("bfloat16", "float32")]


def distance(found, expected):
    return np.linalg.norm(np.asarray(found) - np.asarray(expected)) / np.linalg.norm(expected)


@pytest.mark.parametrize("has_it", [True, False])
def test_auto_is_what_the_processor_has(monkeypatch, make_network, has_it):
    monkeypatch.setattr(devices, "cpu_has_bfloat16", lambda: has_it)
    assert VGG(make_network(), device="cpu").precision == ("bfloat16" if has_it else "float32")


@pytest.mark.parametrize(("capability", "has_it"), [((7, 5), False), ((8, 0), True), (None, False)])
def test_cuda_has_it_from_ampere_on(monkeypatch, capability, has_it):
    details = {"compute_capability": capability} if capability else {}
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(tf.config.experimental, "get_device_details", lambda gpu: details)
    assert precision.native("cuda") is has_it


def test_features_are_float32_and_right_to_two_digits(both):
    painting, names = paint_demo(160, 120), layer_names("vgg19")
    found, expected = (backend.features(painting, names) for backend in both)
    assert {feature.dtype for feature in found.values()} == {tf.float32}
    errors = {name: distance(found[name], expected[name]) for name in names}
    assert errors["relu1_1"] < 0.004
    assert max(error for name, error in errors.items() if name not in ("relu5_4", "pool5")) < 0.015


def test_terms_are_right_to_two_digits_and_the_gradient_is_float32(both):
    use = WeightedLoss("style", Gram(), at({f"relu{block}_1": 0.2 for block in range(1, 6)}), 100.0)
    region, one = Region([paint_demo(96, 128)], [1.0]), whole((96, 128))
    evaluations = [
        build_objective(backend, style_terms(backend, use, region, one), one)(paint_demo(96, 128)[::-1].copy())
        for backend in both
    ]
    assert evaluations[0].terms == pytest.approx(evaluations[1].terms, rel=0.02)
    assert evaluations[0].gradient.dtype == np.float32
    assert distance(evaluations[0].gradient, evaluations[1].gradient) < 0.25


def test_the_same_run_is_the_same_picture_and_says_its_precision(plugins, photo):
    recipe = Recipe(
        backend="keras-vgg19", weights="compact", device="cpu", precision="bfloat16", size=48, levels=1, steps=5
    )
    runs = [stylize(photo(), photo(seed=1), recipe, plugins=plugins) for _ in range(2)]
    assert runs[0].facts["precision"] == "bfloat16"
    assert runs[0].pixels.tobytes() == runs[1].pixels.tobytes()
