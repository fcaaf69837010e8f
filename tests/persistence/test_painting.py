"""The Python call takes keywords and images of any kind; its result is saved as the command line saves."""

from __future__ import annotations

import io
import typing

import numpy as np
import pytest
from PIL import Image

from nst import Painting, Recipe, load_image, stylize
from nst.errors import UserError
from nst.persistence import provenance
from nst.recipe.keywords import RecipeKeywords
from nst.recipe.recipe import FIELDS

pytestmark = pytest.mark.frameworks

FAST = {"size": 48, "levels": 1, "steps": 2, "device": "cpu", "precision": "float32", "weights": "compact"}


@pytest.fixture
def here(tmp_path, monkeypatch, photo):
    """A folder with a content and a style."""
    monkeypatch.chdir(tmp_path)
    for name, seed in ("content.png", 0), ("style.png", 1):
        Image.fromarray(np.rint(255 * photo(48, 64, seed=seed)).astype(np.uint8)).save(name)
    return tmp_path


def test_every_field_of_a_recipe_is_a_keyword():
    assert set(typing.get_type_hints(RecipeKeywords)) == set(FIELDS)


def test_keywords_override_the_preset_which_overrides_the_recipe(here):
    result = stylize("content.png", "style.png", Recipe(seed=3, steps=(9,)), preset="quick", **FAST)
    assert result.recipe == Recipe(seed=3, **FAST)
    assert len(result.history) == 2


def test_a_recipe_alone_gives_the_same_picture(here):
    words = stylize("content.png", "style.png", **FAST)
    np.testing.assert_array_equal(words.pixels, stylize("content.png", "style.png", Recipe(**FAST)).pixels)


def test_images_of_every_kind_give_the_same_picture(here):
    paths = stylize("content.png", "style.png", **FAST).pixels
    for kind in (
        lambda name: here / name,
        lambda name: (here / name).read_bytes(),
        lambda name: io.BytesIO((here / name).read_bytes()),
        Image.open,
        lambda name: np.asarray(Image.open(name)),
        load_image,
    ):
        np.testing.assert_array_equal(stylize(kind("content.png"), [kind("style.png")], **FAST).pixels, paths)


def test_an_open_file_stays_open(here):
    with open("content.png", "rb") as file:
        stylize(file, "style.png", **FAST)
        assert not file.closed


def test_all_mistakes_are_reported_together(here):
    with pytest.raises(UserError) as error:
        stylize("content.png", "style.png", preset="quik", size="large", optimiser="lbfgs")
    for words in ("preset 'quik'", "size", "'optimiser'"):
        assert words in str(error.value)


@pytest.mark.parametrize("source", [b"", b"no picture", io.BytesIO(b"GIF89a"), 3, None])
def test_what_is_no_picture_is_a_mistake(here, source):
    with pytest.raises(UserError, match="the picture"):
        stylize(source, "style.png", **FAST)


def test_a_saved_picture_carries_its_record_and_what_the_content_brought(here):
    content = Image.open("content.png").convert("RGBA")
    content.putalpha(Image.linear_gradient("L").resize(content.size))
    content.save("clear.png", dpi=(300, 300))
    result = stylize("clear.png", "style.png", **FAST)
    assert result.save("out.png", quality=90) == here / "out.png" or (here / "out.png").is_file()
    record = provenance.read("out.png")
    assert (record.recipe, record.options.quality) == (result.recipe, 90)
    assert [file.path for file in record.inputs] == ["clear.png", "style.png"]
    with Image.open("out.png") as saved:
        assert (saved.mode, saved.size) == ("RGBA", (48, 36))
        assert saved.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_content_of_16_bits_is_saved_with_16(here, photo):
    stylize(np.rint(65535 * photo(48, 64)).astype(np.uint16), "style.png", **FAST).save("deep.png")
    with Image.open("deep.png") as saved:
        assert saved.tile[0].args == "RGB;16B"


def test_a_format_that_does_not_exist_is_refused(here):
    result = stylize("content.png", "style.png", **FAST)
    with pytest.raises(UserError, match="xyz"):
        result.save("out.xyz")


def test_a_masked_and_a_protected_part(here):
    mask = np.zeros((48, 64), np.uint8)
    mask[:, :32] = 255
    result = stylize("content.png", "style.png", masks=[(mask, "content.png")], protect=255 - mask, **FAST)
    content = load_image("content.png")
    assert result.pixels.shape == (36, 48, 3)
    assert (
        np.abs(result.pixels[:, 28:] - np.asarray(Image.open("content.png").resize((48, 36)))[:, 28:] / 255).mean()
        < 0.02
    )
    assert content.shape == (48, 64, 3)


def test_it_shows_itself_in_a_line_and_in_a_notebook(here):
    result = stylize("content.png", "style.png", **FAST)
    assert repr(result) == "<Painting 48×36, torch-vgg19, 2 steps>"
    assert isinstance(result, Painting)
    with Image.open(io.BytesIO(result._repr_png_())) as shown:
        np.testing.assert_array_equal(np.asarray(shown), np.asarray(result.image))
