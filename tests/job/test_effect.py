"""A run that had no effect says so, and names the reason."""

from __future__ import annotations

import numpy as np
import pytest

from nst.errors import NstError
from nst.job.effect import find_warnings, require_steps
from nst.recipe.recipe import Recipe

SHAPE = (48, 64)


@pytest.fixture
def noise():
    """`noise(seed, shape)`: an image that is no color in particular."""
    return lambda seed, shape=SHAPE: np.random.default_rng(seed).random((*shape, 3), np.float32)


@pytest.fixture
def inputs(read, noise):
    """`inputs(style, masks, protect)`: the images of a run, with a style of noise unless another is named."""

    def make(style=None, masks=(), protect=None):
        images, errors = read([noise(1) if style is None else style] if not masks else [], masks, protect)
        assert not errors
        return images

    return make


def history(*losses, size=64, **terms):
    return [{"size": size, "loss": loss, "terms": terms or {"gram relu1_1": loss}} for loss in losses]


def test_a_run_with_an_effect_has_no_warnings(inputs, noise):
    steps = history(9, 4, 1, **{"gram relu1_1": 0.5, "content relu4_2": 0.5})
    assert find_warnings(inputs(), Recipe(), noise(2), steps) == []


@pytest.mark.parametrize("spread", [0, 0.001])
def test_a_style_of_one_color_is_named(inputs, noise, spread):
    style = (0.5 + spread * noise(1)).astype(np.float32)
    (warning,) = find_warnings(inputs(style), Recipe(), noise(2), [])
    assert "is one color" in warning


def test_a_mask_of_few_pixels_is_named_with_its_area(inputs, noise):
    mask = np.zeros((*SHAPE, 3), np.float32)
    mask[0, :3] = 1
    warnings = find_warnings(inputs(masks=[(mask, [noise(1)])]), Recipe(), noise(2), [])
    assert [warning for warning in warnings if "covers 3 of 3072 pixels" in warning]


def test_a_picture_protected_everywhere_is_named(inputs, noise):
    images = inputs(protect=np.ones((*SHAPE, 3), np.float32))
    content = np.broadcast_to(images.content.pixels[:1, :1], (*SHAPE, 3))
    first, second = find_warnings(images, Recipe(), content, [])
    assert first == "the part that is neither masked nor protected covers 0 of 3072 pixels: too few for strokes"
    assert second == "the result equals the photograph"


@pytest.mark.parametrize(("role", "terms"), [("content", (1e20, 1.0)), ("style", (1.0, 1e20))])
def test_a_loss_that_the_other_one_drowns_is_named(inputs, noise, role, terms):
    steps = history(9, 4, **dict(zip(("gram relu1_1", "content relu4_2"), terms, strict=True)))
    (warning,) = find_warnings(inputs(), Recipe(), noise(2), steps)
    assert warning.startswith(f"the {role} loss is less than a millionth of the loss")


def test_a_loss_that_does_not_fall_is_named(inputs, noise):
    (warning,) = find_warnings(inputs(), Recipe(), noise(2), history(9, 8.9999) + history(3, 2.9999, size=128))
    assert "fell by less than a thousandth" in warning
    assert not find_warnings(inputs(), Recipe(), noise(2), history(9, 8.9999) + history(3, 1, size=128))
    assert not find_warnings(inputs(), Recipe(), noise(2), history(9))


def test_a_blank_result_is_named_unless_the_photograph_is_blank_too(inputs, noise, read):
    blank = np.full((*SHAPE, 3), 0.5, np.float32)
    images = inputs()
    assert find_warnings(images, Recipe(), blank, []) == []
    images.content.pixels[:3] = 0
    assert find_warnings(images, Recipe(), blank, []) == ["the result is one color"]


def test_no_accepted_step_is_a_failure_unless_there_was_nothing_to_paint(inputs):
    with pytest.raises(NstError, match="no step was accepted"):
        require_steps(Recipe(), inputs(), SHAPE)
    require_steps(Recipe(), inputs(protect=np.ones((*SHAPE, 3), np.float32)), SHAPE)
