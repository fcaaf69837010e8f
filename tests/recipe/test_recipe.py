"""A recipe reads text and data alike, reports every value it cannot read, and comes back from what it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.errors import Mistakes, UserError
from nst.recipe.recipe import FIELDS, Recipe, flag, load_recipe, preset, presets, read_fields
from nst.vgg.architecture import layer_names

TOML = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text() | st.text("relu1_=., ") | st.datetimes() | st.times(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=4,
)
SELECTIONS = st.dictionaries(st.sampled_from(layer_names("vgg19")), st.floats(0, 1e6))
WRITABLE = {
    "backend": st.text(min_size=1).filter(str.strip),
    "size": st.integers(1, 10**5),
    "sizes": st.lists(st.integers(1, 10**5)).map(tuple),
    "content_layers": SELECTIONS,
    "style_weight": st.floats(0, 1e9),
    "optimizer_options": st.dictionaries(st.text(), st.booleans() | st.integers() | st.floats(-9, 9) | st.text()),
    "style_blend": st.lists(st.floats(0.1, 9)).map(tuple),
}


def test_text_and_data_make_the_same_recipe() -> None:
    typed = Recipe(size="256", steps="30,20", style_layers="relu1_1,relu4_1=2", optimizer_options=["lr=0.1"])
    given = Recipe(size=256, steps=[30, 20], style_layers={"relu1_1": 1, "relu4_1": 2}, optimizer_options={"lr": "0.1"})
    assert typed == given
    assert given.steps == (30, 20)


def test_every_default_is_canonical() -> None:
    default = Recipe()
    assert read_fields(default.to_dict()) == ({name: getattr(default, name) for name in FIELDS}, [])


def test_the_default_layers_are_those_of_gatys() -> None:
    assert Recipe().content_layers == {"relu4_2": 1}
    assert Recipe().style_layers == {f"relu{block}_1": 1 for block in (1, 2, 3, 4, 5)}


def test_recipes_share_no_defaults() -> None:
    first = Recipe()
    first.content_layers["relu1_1"] = 1.0  # type: ignore[index]
    first.optimizer_options["lr"] = 1.0  # type: ignore[index]
    assert Recipe() != first
    assert Recipe().optimizer_options == {}


def test_every_value_that_cannot_be_read_is_reported_by_its_option() -> None:
    with pytest.raises(Mistakes) as caught:
        Recipe(size="big", style_scale=0, optimizer_options="lr")
    assert [(error.message, error.hint) for error in caught.value.errors] == [
        ("--size: must be a whole number, not 'big'", "long side of the result, in pixels"),
        ("--optimizer-option: has 'lr' where name=value belongs", "write it like lr=0.02"),
        ("--style-scale: must be above 0, not 0", FIELDS["style_scale"].metadata["help"]),
    ]


def test_what_can_be_read_is_kept_beside_what_cannot() -> None:
    good, (first, second) = read_fields({"size": "64", "seed": -1, "stile_weight": 5})
    assert good == {"size": 64}
    assert first.message == "--seed: must be a whole number of 0 or more, not -1"
    assert (second.message, second.hint) == (
        "unknown recipe field 'stile_weight'",
        "did you mean style_weight or tv_weight?",
    )


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=9) | st.sampled_from(sorted(FIELDS)), TOML, max_size=5))
def test_any_table_is_read_or_reported(given: dict[str, Any]) -> None:
    good, errors = read_fields(given)
    assert len(good) + len(errors) == len(given)
    assert repr(read_fields(good)) == repr((good, []))
    Recipe(**good)


@settings(max_examples=60)
@given(st.fixed_dictionaries({}, optional=WRITABLE))
def test_a_recipe_comes_back_from_its_json(given: dict[str, Any]) -> None:
    recipe = Recipe(**given)
    assert Recipe(**json.loads(json.dumps(recipe.to_dict(), allow_nan=False))) == recipe


@pytest.mark.parametrize("size", [96, "96"])
def test_a_new_size_scales_the_sizes_and_keeps_their_steps(size: int | str) -> None:
    recipe = Recipe(sizes=(64, 128, 192), steps=(300, 100, 60)).override(size=size)
    assert (recipe.size, recipe.sizes, recipe.steps) == (96, (32, 64, 96), (300, 100, 60))


def test_the_smallest_of_the_scaled_sizes_has_a_pixel() -> None:
    assert Recipe(sizes=(1, 300)).override(size=3).sizes == (1, 3)


def test_new_levels_replace_the_sizes_and_share_out_their_steps() -> None:
    recipe = Recipe(sizes=(128, 256), steps=(50, 20)).override(levels=2)
    assert (recipe.sizes, recipe.steps) == ((), (70,))


def test_steps_named_with_a_new_size_replace_those_of_the_recipe() -> None:
    recipe = Recipe(sizes=(64, 128), steps=(50, 20)).override(size=64, steps=9)
    assert (recipe.sizes, recipe.steps) == ((32, 64), (9,))


def test_steps_in_all_outlive_a_new_size() -> None:
    assert Recipe(sizes=(128, 256), steps=500).override(size=64).steps == (500,)


def test_what_is_given_with_a_new_size_holds() -> None:
    recipe = Recipe(steps=(9, 9)).override(size=64, sizes="32,64", steps="5,3")
    assert (recipe.size, recipe.sizes, recipe.steps) == (64, (32, 64), (5, 3))


def test_other_values_leave_the_sizes_alone() -> None:
    assert Recipe(sizes=(128, 256), steps=(5, 2)).override(seed=1) == Recipe(sizes=(128, 256), steps=(5, 2), seed=1)


def test_a_loss_of_weight_0_looks_at_no_layer() -> None:
    assert list(Recipe().selections()) == ["--content-layers", "--style-layers"]
    assert Recipe(style_weight=0, content_layers="relu2_2,relu1_1").layers() == ("relu2_2", "relu1_1")
    assert Recipe(style_weight=0, content_weight=0).layers() == ()


def test_a_layer_of_two_losses_is_named_once() -> None:
    assert Recipe(content_layers="relu1_1", style_layers="relu2_1,relu1_1").layers() == ("relu1_1", "relu2_1")


@pytest.mark.parametrize(
    ("name", "option"),
    [("size", "--size"), ("style_weight", "--style-weight"), ("init_options", "--init-option"), ("steps", "--steps")],
)
def test_a_field_has_one_option(name: str, option: str) -> None:
    assert flag(name) == option


def test_no_two_fields_share_an_option() -> None:
    assert len({flag(name) for name in FIELDS}) == len(FIELDS)


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_is_a_recipe_with_a_line_about_it(name: str) -> None:
    assert len(presets()[name]) > 20
    good, errors = read_fields(preset(name))
    assert (len(good), errors) == (len(preset(name)), [])
    Recipe(**good)


def test_an_unknown_preset_suggests_the_near_miss() -> None:
    with pytest.raises(UserError, match="unknown preset 'gaty'") as caught:
        preset("gaty")
    assert caught.value.hint == "did you mean gatys?"


def test_a_recipe_file_gives_its_values(tmp_path: Path) -> None:
    file = tmp_path / "my.toml"
    file.write_text('size = 256\nstyle_layers = {relu1_1 = 1}\ninit = "käse"\n', "utf-8")
    assert load_recipe(file) == {"size": 256, "style_layers": {"relu1_1": 1}, "init": "käse"}


def test_a_recipe_file_that_is_missing_or_a_folder_says_so(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"cannot read recipe '.*none\.toml': No such file"):
        load_recipe(tmp_path / "none.toml")
    with pytest.raises(UserError, match=r"cannot read recipe '.*': Is a directory"):
        load_recipe(tmp_path)


@pytest.mark.parametrize("content", [b"size = ", b"\xff\xfe", b"size = " + b"9" * 5000])
def test_a_recipe_file_that_is_not_toml_says_so(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "my.toml"
    file.write_bytes(content)
    with pytest.raises(UserError, match=r"my\.toml' is not TOML: "):
        load_recipe(file)


@pytest.mark.parametrize(
    "given",
    [
        "histogram=50@relu4_1,relu5_1=0.5",
        [{"name": "histogram", "weight": 50, "layers": {"relu4_1": 1, "relu5_1": 0.5}}],
    ],
)
def test_more_losses_are_text_or_tables(given):
    (loss,) = Recipe(losses=given).losses
    assert (loss.name, loss.weight, loss.layers) == ("histogram", 50.0, {"relu4_1": 1.0, "relu5_1": 0.5})


@pytest.mark.parametrize(
    "given", ["histogram", [{"name": "gram"}], [{"name": "gram", "weight": 1, "wieght": 2}], [3], 3]
)
def test_a_loss_that_says_too_little_or_too_much_is_refused(given):
    with pytest.raises(UserError, match="--loss"):
        Recipe(losses=given)


def test_a_loss_without_a_weight_is_told_how_to_be_written():
    with pytest.raises(UserError, match="'gram' has no weight") as caught:
        Recipe(losses="gram")
    assert "histogram=50@relu4_1" in caught.value.hint


def test_a_recipe_s_own_data_make_it_again():
    recipe = Recipe(losses="gram=2", weights="compact,imagenet", tile=256, average=0.5)
    assert Recipe(**recipe.to_dict()) == recipe


@pytest.mark.parametrize("given", [{"tile": "small"}, {"tile": 0}, {"average": 1}, {"weights": ""}, {"weights": []}])
def test_values_that_mean_nothing_are_refused(given):
    with pytest.raises(UserError, match=f"--{next(iter(given))}"):
        Recipe(**given)
