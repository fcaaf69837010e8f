"""A content without detail is compared with an ordinary photograph's energy, not with its own."""

from __future__ import annotations

import numpy as np
import pytest

from nst.engine.ordinary import LEAST, least_energies, ordinary_image
from nst.engine.terms import WeightedLoss, pointwise_terms
from nst.engine.tiling import cut
from nst.losses.content import Content
from nst.vgg import ReferenceVGG, select

LAYERS = select(["relu1_1", "relu2_1"])


@pytest.fixture
def vgg(make_network):
    return ReferenceVGG(make_network())


def test_its_mean_its_spread_and_its_spectrum_are_a_photograph_s():
    image = ordinary_image(128)
    assert (image.shape, image.dtype) == ((128, 128, 3), np.float32)
    assert image.mean() == pytest.approx(0.45, abs=0.02)
    assert image.std() == pytest.approx(0.2, abs=0.02)
    spectrum = np.abs(np.fft.rfft2(image[..., 0]))
    assert spectrum[1:4, 1:4].mean() > 4 * spectrum[16:32, 16:32].mean()


def test_the_least_energies_are_shares_of_its_features(vgg):
    energies = least_energies(vgg, Content(), LAYERS)
    features = vgg.features(vgg.asarray(ordinary_image(128)), ["relu1_1", "relu2_1"])
    for layer in LAYERS:
        assert energies[layer] == pytest.approx(LEAST * np.square(features[layer.name]).sum(-1).mean(), rel=1e-4)


def weights(vgg, content):
    use = WeightedLoss("content", Content(), dict.fromkeys(LAYERS, 0.5), 20.0)
    return [term.weight for term in pointwise_terms(vgg, use, content, cut(content.shape[:2], 0, LAYERS))]


def test_the_content_weighs_no_more_than_a_share_of_an_ordinary_photograph_lets_it(vgg):
    least = [10 / energy for energy in least_energies(vgg, Content(), LAYERS).values()]
    black = np.zeros((32, 32, 3), np.float32)
    assert all(weight <= most * 1.0001 for weight, most in zip(weights(vgg, black), least, strict=True))
    photograph = ordinary_image(128)[:96]
    assert all(weight < most for weight, most in zip(weights(vgg, photograph), least, strict=True))
