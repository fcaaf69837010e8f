"""`neighbor` finds a style's own places again, turned ones too, and several styles by their shares."""

from __future__ import annotations

import numpy as np
import pytest

from nst.engine.matching import FeatureMaps
from nst.geometry import Layer
from nst.losses.neighbor import Neighbor
from nst.testing.pictures import photo
from nst.vgg.architecture import at
from nst.vgg.reference import ReferenceVGG

IMAGE_LAYER = {Layer("pixels"): 1.0}
LAYERS = at({"relu1_1": 0.2, "relu2_1": 0.2, "relu3_1": 0.3, "relu4_1": 0.3})


class Pixels:
    """A network whose only layer is the image itself."""

    xp = np

    def asarray(self, image):
        return image

    def to_host(self, array):
        return array

    def features(self, image, layers):
        return dict.fromkeys(layers, image)


@pytest.fixture(scope="module")
def backend(make_network):
    return ReferenceVGG(make_network())


def matched(backend, loss, content, styles, shares=None, image=None):
    query = FeatureMaps(backend, loss.query(content, image), LAYERS)
    references = [np.ascontiguousarray(reference) for style in styles for reference in loss.references(style)]
    maps = [FeatureMaps(backend, reference, LAYERS) for reference in references]
    return dict(loss.match(query, maps, shares or [1 / len(styles)] * len(styles)))


def features(backend, image):
    maps = FeatureMaps(backend, image, LAYERS)
    return {layer: maps[layer] for layer in maps}


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_turned_style_is_found_again(backend, turns):
    """Away from the border, which is not matched, targets are the style's own features."""
    content = photo(64, 64)
    style = np.ascontiguousarray(np.rot90(content, turns))
    targets = matched(backend, Neighbor(), content, [style])
    for layer, expected in features(backend, content).items():
        margin = -(-12 * expected.shape[0] // 64)
        inner = (slice(margin, -margin), slice(margin, -margin))
        np.testing.assert_allclose(
            targets[layer][inner], expected[inner], atol=1e-4 * np.abs(expected).max(), err_msg=layer
        )


def test_the_border_of_a_style_is_not_matched(backend):
    """A painting with a black frame of 8 pixels has no black for a picture of the same painting without its frame."""
    content, style = np.full((64, 64, 3), 0.5, np.float32), photo(64, 64)
    style[:8] = style[-8:] = 0
    style[:, :8] = style[:, -8:] = 0
    targets = dict(
        Neighbor(rotations=1).match(
            FeatureMaps(Pixels(), content, IMAGE_LAYER), [FeatureMaps(Pixels(), style, IMAGE_LAYER)], [1.0]
        )
    )
    assert targets["pixels"].min() > 0


def test_without_rotations_only_the_style_as_it_is_is_searched():
    style = photo(8, 12)
    assert len(Neighbor(rotations=1).references(style)) == 1
    assert [each.shape[:2] for each in Neighbor().references(style)] == [(8, 12), (12, 8), (8, 12), (12, 8)]


@pytest.mark.parametrize("size", [(850 // 8, 272 // 8), (107, 95), (24, 17), (16, 16)])
def test_odd_sizes_have_a_target_at_each_position(backend, size):
    content = photo(*size)
    targets = matched(backend, Neighbor(), content, [photo(61, 23, seed=1)])
    for layer, expected in features(backend, content).items():
        assert targets[layer].shape == expected.shape
        assert np.isfinite(targets[layer]).all()


def test_targets_are_features_of_the_style_or_between_them(backend):
    style = photo(40, 48, seed=3)
    targets, own = matched(backend, Neighbor(), photo(32, 32), [style]), []
    for turns in range(4):
        own.append(features(backend, np.ascontiguousarray(np.rot90(style, turns))))
    for layer, target in targets.items():
        least, most = (
            reduce([reduce(maps[layer], axis=(0, 1)) for maps in own], axis=0) for reduce in (np.min, np.max)
        )
        slack = 1e-4 * np.abs(target).max()
        assert (target >= least - slack).all()
        assert (target <= most + slack).all()


def test_several_styles_have_their_shares_of_the_places(backend):
    """A share of 0 leaves no trace; more of a share is more of its features."""
    content, one, other = photo(96, 96), photo(64, 64, seed=1), photo(64, 64, seed=2)
    loss = Neighbor(rotations=1)
    alone = matched(backend, loss, content, [one])
    np.testing.assert_array_equal(
        matched(backend, loss, content, [one, other], [1.0, 0.0])["relu1_1"], alone["relu1_1"]
    )
    query = FeatureMaps(backend, content, LAYERS)
    maps = [FeatureMaps(backend, style, LAYERS) for style in (one, other)]
    for share in (0.2, 0.5, 0.8):
        places = loss._places(query, maps, [share, 1 - share])
        assert (places[..., 0] == 0).mean() == pytest.approx(share, abs=0.05)


def test_an_occurrence_penalty_uses_more_places(backend):
    content, style = photo(96, 96), photo(64, 64, seed=1)
    used = []
    for occurrence in (0.0, 0.2):
        maps = [FeatureMaps(backend, style, LAYERS)]
        places = Neighbor(rotations=1, occurrence=occurrence)._places(
            FeatureMaps(backend, content, LAYERS), maps, [1.0]
        )
        used.append(len({tuple(place) for place in places.reshape(-1, 3)}))
    assert used[1] > used[0]


def test_luminance_leads_to_places_as_bright(backend):
    content, style = photo(96, 96), photo(96, 96, seed=1)
    errors = []
    for luminance in (0.0, 5.0):
        maps = [FeatureMaps(backend, style, LAYERS)]
        loss = Neighbor(rotations=1, luminance=luminance)
        _, row, column = np.moveaxis(loss._places(FeatureMaps(backend, content, LAYERS), maps, [1.0]), -1, 0)
        light = [image.mean(axis=2).reshape(24, 4, 24, 4).mean(axis=(1, 3)) for image in (content, style)]
        standard = [(each - each.mean()) / each.std() for each in light]
        errors.append(np.abs(standard[0] - standard[1][row, column]).mean())
    assert errors[1] < 0.7 * errors[0]


def test_the_image_so_far_has_its_share_in_the_query():
    content, image = photo(32, 32), photo(32, 32, seed=1)
    assert Neighbor().query(content, None) is content
    np.testing.assert_array_equal(Neighbor(alpha=0).query(content, image), content)
    assert np.abs(Neighbor(alpha=1).query(content, image) - image).max() < np.abs(content - image).max()


@pytest.mark.parametrize("content", [np.zeros((24, 24, 3)), np.full((24, 24, 3), 0.5), photo(24, 24)])
@pytest.mark.parametrize("style", [np.zeros((16, 40, 3)), np.ones((16, 16, 3)), photo(24, 24, seed=1)])
def test_flat_images_have_finite_targets(backend, content, style):
    targets = matched(backend, Neighbor(luminance=1.0), np.float32(content), [np.float32(style)])
    assert all(np.isfinite(target).all() for target in targets.values())


@pytest.mark.parametrize("distance", ["cosine", "squared"])
def test_the_distance_is_that_of_a_content_loss(distance):
    from nst.losses.content import Content
    from nst.losses.content_cosine import ContentCosine

    rng, xp = np.random.default_rng(0), ReferenceVGG.xp
    one, other = rng.normal(size=(2, 4, 5, 3))
    expected = (ContentCosine() if distance == "cosine" else Content()).difference(xp, one, other)
    np.testing.assert_array_equal(Neighbor(distance=distance).difference(xp, one, other), expected)
