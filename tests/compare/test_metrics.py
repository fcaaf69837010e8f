"""The judge is neutral, and right where the answer is known: at the content, at the style, and as noise is added."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from nst.compare import metrics
from nst.compare.metrics import Evaluator, Scores
from nst.errors import UserError
from nst.vgg.network import write
from nst.vgg.reference import ReferenceVGG
from nst.weights.selection import COMPACT


@pytest.fixture(scope="module")
def network(make_network):
    return make_network()


@pytest.fixture
def judged(network, photo):
    """`judged(picture)` against a content and a style of one shape."""
    pytest.importorskip("skimage")
    content, style = photo(48, 64), photo(48, 64, seed=1)
    judge = Evaluator(network, content, [style], size=64)
    return lambda picture: judge(picture)


def noisy(pixels, amount, seed=0):
    noise = np.random.default_rng(seed).normal(size=pixels.shape)
    return np.clip(pixels + amount * noise, 0, 1).astype(np.float32)


@pytest.mark.parametrize("preprocessing", ["torchvision", "caffe"])
def test_the_features_are_the_reference_s(make_network, photo, preprocessing):
    network = make_network(preprocessing=preprocessing)
    found = metrics.features(network, photo(37, 51), metrics.LAYERS)
    exact = ReferenceVGG(network).features(photo(37, 51), metrics.LAYERS)
    assert found.keys() == exact.keys()
    for layer, features in found.items():
        np.testing.assert_allclose(features, exact[layer], rtol=1e-4, atol=1e-4 * np.abs(exact[layer]).max())


def test_the_content_itself_is_at_no_distance_from_the_content(judged, photo):
    found = judged(photo(48, 64))
    assert (found.content, found.color) == (0, 0)
    assert found.ssim == pytest.approx(1)
    assert found.style_mean > 0.01


def test_the_style_itself_is_at_no_distance_from_the_style(judged, photo):
    found = judged(photo(48, 64, seed=1))
    assert found.style_mean == 0
    assert set(found.style.values()) == {0}
    assert found.palette == 0
    assert found.content > 0.01


def test_distances_grow_with_noise(judged, photo):
    found: list[Scores] = [judged(noisy(photo(48, 64), amount)) for amount in (0, 0.02, 0.1, 0.3)]
    for measure in ("content", "color", "total_variation"):
        values = [getattr(each, measure) for each in found]
        assert values == sorted(values), measure
        assert len(set(values)) == len(values), measure
    assert [each.ssim for each in found] == sorted((each.ssim for each in found), reverse=True)


def test_color_and_structure_are_symmetric(photo):
    pytest.importorskip("skimage")
    one, other = photo(40, 40), photo(40, 40, seed=1)
    for measure in (metrics.color_difference, metrics.ssim, metrics.palette_distance):
        assert measure(one, other) == pytest.approx(measure(other, one), rel=1e-3)


def test_the_palette_does_not_care_where_colors_are(photo):
    pytest.importorskip("skimage")
    picture = photo(48, 48)
    turned = np.ascontiguousarray(np.rot90(picture))
    assert metrics.palette_distance(picture, turned) < 0.2 < metrics.color_difference(picture, turned)
    assert metrics.palette_distance(picture, photo(48, 48, seed=1)) > 1


def test_a_known_color_difference():
    """Sharma et al. (2005) and scikit-image agree that black and white are 100 apart."""
    pytest.importorskip("skimage")
    black, white = (np.full((16, 16, 3), value, np.float32) for value in (0, 1))
    assert metrics.color_difference(black, white) == pytest.approx(100, abs=0.1)


def test_a_picture_of_another_size_is_judged_at_the_content_s(judged, photo):
    from nst.images import resize

    judged(resize(photo(48, 64), (31, 17)))
    assert judged(resize(photo(48, 64), (96, 128))).content < 0.05


def test_several_styles_count_by_their_shares(network, photo):
    pytest.importorskip("skimage")
    content, one, other = photo(48, 64), photo(48, 64, seed=1), photo(48, 64, seed=2)
    alone = Evaluator(network, content, [one], size=64)(content)
    all_of_one = Evaluator(network, content, [one, other], (1, 0), size=64)(content)
    assert all_of_one.style_mean == pytest.approx(alone.style_mean)
    assert all_of_one.palette == pytest.approx(alone.palette)
    even = Evaluator(network, content, [one, other], size=64)(one)
    assert 0 < even.style_mean < Evaluator(network, content, [other], size=64)(one).style_mean


@pytest.mark.parametrize("shape", [(16, 300), (20, 20), (700, 17)])
def test_thin_and_small_pictures_are_judged(network, photo, shape):
    pytest.importorskip("skimage")
    found = Evaluator(network, photo(*shape), [photo(9, 5, seed=1)], size=32)(photo(*shape))
    assert np.isfinite([found.style_mean, found.content, found.ssim, found.color, found.palette]).all()


def test_the_network_is_the_compact_one_or_a_file(network, make_network, tmp_path):
    assert metrics.load_network().sha256 == COMPACT.sha256
    assert (
        metrics.load_network(str(write(tmp_path / "small.safetensors", network))).kernels.keys()
        == network.kernels.keys()
    )


def test_a_network_without_the_judge_s_layers_is_refused(network, tmp_path):
    from dataclasses import replace

    shallow = {name: kernel for name, kernel in network.kernels.items() if name < "conv5"}
    cut = replace(network, kernels=shallow, biases={name: network.biases[name] for name in shallow})
    with pytest.raises(UserError, match=r"has no layer relu5_1"):
        metrics.load_network(str(write(tmp_path / "shallow.safetensors", cut)))


def test_a_missing_scikit_image_names_its_pip_line(monkeypatch):
    monkeypatch.setattr(metrics, "find_spec", lambda name: None)
    error = metrics.missing_scikit_image()
    assert error is not None
    assert error.hint == "pip install 'nst[compare]'"


def test_importing_it_imports_no_framework_nor_scikit_image():
    program = (
        "import sys, nst.compare.metrics; print({'torch', 'tensorflow', 'skimage', 'scipy'} & sys.modules.keys() or '')"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout == "\n"
