"""The TFLite pair on LiteRT: stand-ins with known insides, and Magenta's own files."""

from __future__ import annotations

import numpy as np
import pytest

from nst import images
from nst.errors import UserError
from nst_tfhub.fast_transfer import FastTransfer
from nst_tfhub.files import find
from nst_tfhub.litert import Network

pytestmark = pytest.mark.frameworks


def pair(folder, predict, transfer, **options):
    return FastTransfer(find(f"{folder / predict}.tflite,{folder / transfer}.tflite"), **options)


@pytest.mark.parametrize("half", ["fixed", "free"])
@pytest.mark.parametrize("size", [(32, 32), (20, 45), (61, 7), (1, 1)])
def test_a_stand_in_paints_any_size(lite, photo, half, size, paint):
    backend = pair(lite, "predict", half)
    content, style = photo(*size), photo(300, 280, seed=1)
    found = paint(backend, content, style)
    color = paint(backend, np.zeros((32, 32, 3), np.float32), style)[0, 0]
    assert found.shape == content.shape
    assert np.abs(found - (content / 2 + color)).mean() < 0.05


def test_stand_in_roles_and_sizes(lite):
    found = {name: Network(lite / f"{name}.tflite") for name in ("predict", "short", "fixed", "free", "other")}
    assert {name: network.role for name, network in found.items()} == {
        "predict": "predict",
        "short": "predict",
        "fixed": "transfer",
        "free": "transfer",
        "other": "",
    }
    assert (found["fixed"].side, found["free"].side) == (32, None)
    assert (found["predict"].code_length, found["short"].code_length, found["free"].code_length) == (100, 7, 100)
    assert found["free"].stored == "float32"


def test_sizes_may_change_from_run_to_run(lite):
    network, code = Network(lite / "free.tflite"), np.zeros(100, np.float32)
    for size in ((8, 8), (40, 12), (8, 8)):
        assert network.run(np.zeros((*size, 3), np.float32), code).shape == (1, *size, 3)


def test_a_refused_size_is_told_and_does_no_harm(magenta):
    network, code = Network(magenta / "style_transfer_quantized_dynamic.tflite"), np.zeros(100, np.float32)
    network.run(np.zeros((16, 16, 3), np.float32), code)
    with pytest.raises(UserError, match="cannot take a picture of 4×4 pixels"):
        network.run(np.zeros((4, 4, 3), np.float32), code)
    assert network.run(np.zeros((16, 16, 3), np.float32), code).shape == (1, 16, 16, 3)


def test_magenta_s_own_files_are_known(magenta):
    found = {path.stem: Network(path) for path in magenta.glob("*.tflite")}
    assert {name: (network.role, network.stored) for name, network in found.items()} == {
        "style_predict_quantized_256": ("predict", "int8 weights"),
        "style_transfer_quantized_384": ("transfer", "int8 weights"),
        "style_transfer_f16_384": ("transfer", "float16 weights"),
        "style_transfer_quantized_dynamic": ("transfer", "int8 weights"),
    }
    sides = {name: network.side for name, network in found.items() if network.role == "transfer"}
    assert [sides[f"style_transfer_{kind}"] for kind in ("quantized_384", "f16_384", "quantized_dynamic")] == [
        384,
        384,
        None,
    ]


@pytest.fixture(scope="module")
def backends(magenta):
    names = ("quantized_384", "f16_384", "quantized_dynamic")
    return {name: pair(magenta, "style_predict_quantized_256", f"style_transfer_{name}") for name in names}


def test_magenta_s_transfers_agree_at_their_common_size(backends, magenta, paint):
    pictures = magenta.parent / "images"
    content = images.resize(images.load_image(pictures / "content" / "golden_gate.jpg"), (384, 384))
    style = images.load_image(pictures / "style" / "the_scream.jpg")
    reference = paint(backends["f16_384"], content, style)
    for name, allowed in (("quantized_384", 0.06), ("quantized_dynamic", 0.06)):
        assert np.abs(paint(backends[name], content, style) - reference).mean() < allowed, name


@pytest.mark.parametrize("name", ["quantized_384", "quantized_dynamic"])
@pytest.mark.parametrize("size", [(1, 1), (5, 301), (383, 385), (230, 90)])
def test_magenta_paints_any_size(backends, photo, name, size, paint):
    found = paint(backends[name], photo(*size), photo(64, 80, seed=1))
    assert (found.shape, found.dtype) == ((*size, 3), np.float32)
    assert np.isfinite(found).all()
    assert found.min() >= 0
    assert found.max() <= 1


def test_the_same_call_gives_the_same_picture(backends, photo, paint):
    backend = backends["quantized_dynamic"]
    first, second = (paint(backend, photo(200, 300), photo(90, 90, seed=1)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_strength_moves_steadily_away_from_the_content_s_own_style(magenta, photo, paint):
    names = "style_predict_quantized_256", "style_transfer_quantized_dynamic"
    backends = [pair(magenta, *names, strength=strength) for strength in (0, 0.5, 1)]
    own, *others = (paint(backend, photo(256, 256), photo(256, 256, seed=1)) for backend in backends)
    half, whole = (np.abs(other - own).mean() for other in others)
    assert 0.1 * whole < half < whole


def test_a_blend_of_one_and_nothing_is_that_one(backends, photo, paint):
    backend, content, styles = backends["quantized_dynamic"], photo(128, 128), [photo(90, 90, seed=i) for i in (1, 2)]
    alone = paint(backend, content, styles[0])
    np.testing.assert_allclose(paint(backend, content, *styles, blend=(1, 0)), alone, atol=1e-5)
    assert np.abs(paint(backend, content, *styles) - alone).mean() > 0.005


def test_tiles_leave_no_seams(backends, photo, paint):
    """The step across a tile's border is no larger than those beside it."""
    content = photo(384, 960)
    found = paint(backends["quantized_384"], content, photo(256, 256, seed=1))
    steps = np.abs(np.diff(found, axis=1)).mean((0, 2))
    for border in (288, 384, 576, 672):
        beside = np.r_[steps[border - 15 : border - 3], steps[border + 3 : border + 15]]
        assert steps[border - 1] < 1.5 * beside.mean() + 0.002
