"""The backend around a network: blending, strength, any size, and each style read once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import UserError
from nst_tfhub.fast_transfer import REMEMBERED, FastTransfer


def plain(value, height=30, width=40):
    return np.full((height, width, 3), value, np.float32)


def paint(model, content, *styles, blend=None, scale=1.0, **options):
    shares = blend or [1 / len(styles)] * len(styles)
    return FastTransfer(model, **options).stylize(content, styles, blend=shares, style_scale=scale)


@settings(max_examples=60)
@given(st.integers(1, 90), st.integers(1, 90), st.sampled_from([None, 32]))
def test_any_content_comes_back_at_its_size(fake, height, width, side):
    content = np.random.default_rng(0).random((height, width, 3), np.float32)
    before = content.copy()
    found = paint(fake(side), content, plain(0.3), tile=40)
    assert (found.shape, found.dtype, found.flags.c_contiguous) == ((height, width, 3), np.float32, True)
    assert found.min() >= 0
    assert found.max() <= 1
    np.testing.assert_array_equal(content, before)


@pytest.mark.parametrize("side", [None, 32])
def test_a_plain_content_stays_plain_across_tiles(fake, side):
    found = paint(fake(side), plain(0.5, 100, 170), plain(0.1), tile=40)
    np.testing.assert_allclose(found, 0.3, atol=1e-5)


def test_a_network_of_any_size_takes_the_picture_whole_up_to_the_tile(fake):
    model = fake()
    paint(model, plain(0.5, 30, 50), plain(0.1), tile=40)
    assert model.painted == [(32, 52)]


def test_larger_pictures_are_seen_once_whole_and_then_in_tiles(fake):
    model = fake()
    paint(model, plain(0.5, 40, 80), plain(0.1), tile=40)
    assert model.painted == [(20, 40), (40, 32), (40, 32), (40, 32)]


def test_a_network_of_one_size_enlarges_a_small_picture(fake):
    model = fake(32)
    paint(model, plain(0.5, 9, 16), plain(0.1))
    assert model.painted == [(32, 32)]


def test_a_network_of_one_size_paints_its_own_size_untouched(fake):
    content = np.random.default_rng(0).random((32, 32, 3), np.float32)
    np.testing.assert_allclose(paint(fake(32), content, plain(0.5)), (content + 0.5) / 2, atol=1e-6)


@pytest.mark.parametrize(("strength", "expected"), [(0, 0.8), (0.25, 0.65), (1, 0.2)])
def test_strength_goes_from_the_content_s_style_to_the_style_s(fake, strength, expected):
    found = paint(fake(), plain(0.8), plain(0.2), strength=strength)
    np.testing.assert_allclose(found, (0.8 + expected) / 2, atol=1e-5)


@pytest.mark.parametrize(("blend", "expected"), [(None, 0.5), ((0.75, 0.25), 0.35), ((0, 1), 0.8)])
def test_styles_are_blended_by_their_shares(fake, blend, expected):
    found = paint(fake(), plain(0), plain(0.2), plain(0.8), blend=blend)
    np.testing.assert_allclose(found, expected / 2, atol=1e-5)


def test_each_style_is_read_once(fake):
    model = fake()
    backend, red, blue = FastTransfer(model, strength=0.5), plain(0.2), plain(0.8)
    for _ in range(3):
        backend.stylize(plain(0.5), [red, blue, red.copy()], blend=[0.5, 0.25, 0.25], style_scale=1)
    assert len(model.seen) == 3  # red, blue and the content, told apart by their pixels
    backend.stylize(plain(0.5), [np.random.default_rng(0).random((30, 40, 3), np.float32)], blend=[1], style_scale=1)
    assert len(model.seen) == 4


def test_another_scale_is_another_view(fake):
    model = fake()
    backend, style = FastTransfer(model, style_size=128), np.random.default_rng(0).random((300, 400, 3), np.float32)
    for scale in (1, 2, 1):
        backend.stylize(plain(0.5), [style], blend=[1], style_scale=scale)
    assert [view.shape for view in model.seen] == [(128, 128, 3), (128, 128, 3)]


def test_what_is_remembered_is_bounded(fake):
    backend = FastTransfer(fake(), style_size=64)
    for value in np.linspace(0, 1, REMEMBERED + 5):
        backend.stylize(plain(0.5, 8, 8), [plain(value, 4, 4)], blend=[1], style_scale=1)
    assert len(backend._codes) == REMEMBERED


def test_a_style_size_the_weights_cannot_see_is_refused(fake):
    with pytest.raises(UserError, match="512 pixels") as caught:
        FastTransfer(fake(style_side=256), style_size=512)
    assert "style_size to 256" in caught.value.hint


def test_the_device_is_passed_on(fake):
    assert FastTransfer(fake(), device="cpu").device == "cpu"
