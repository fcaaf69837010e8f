"""What is written as TOML is read back the same, and shows a terminal nothing but text."""

from __future__ import annotations

import tomllib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nst.errors import UserError
from nst.io import toml
from nst.recipe.recipe import Recipe, presets
from nst.vgg.architecture import layer_names

SELECTIONS = st.dictionaries(st.sampled_from(layer_names("vgg19")), st.floats(0, 1e6), max_size=4)
VALUES = st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
SETTINGS = st.dictionaries(st.text(), VALUES, max_size=3)
TABLES = st.dictionaries(
    st.text(),
    st.recursive(VALUES, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=6),
    max_size=4,
)
NAMES = st.text(min_size=1).filter(str.strip)
RECIPES = st.fixed_dictionaries(
    {},
    optional={
        "backend": NAMES,
        "weights": st.lists(NAMES.map(str.strip), min_size=1, max_size=3),
        "size": st.integers(1, 10**5),
        "sizes": st.lists(st.integers(1, 10**5), max_size=3),
        "steps": st.lists(st.integers(1, 10**5), max_size=3),
        "content_layers": SELECTIONS,
        "style_weight": st.floats(0, 1e300),
        "losses": st.lists(
            st.fixed_dictionaries(
                {"name": NAMES, "weight": st.floats(0, 1e9)}, optional={"layers": SELECTIONS, "options": SETTINGS}
            ),
            max_size=2,
        ),
        "optimizer_options": SETTINGS,
        "style_blend": st.lists(st.floats(0.1, 9), max_size=3),
        "average": st.floats(0, 0.99),
        "tile": st.sampled_from(["auto", "off"]) | st.integers(1, 9999),
        "seed": st.integers(0),
    },
).map(lambda given: Recipe(**given))


@given(TABLES)
def test_any_table_comes_back(table):
    assert tomllib.loads(toml.dumps(table)) == table


@given(RECIPES)
def test_any_recipe_comes_back_whole_and_as_what_is_not_default(recipe):
    assert Recipe(**tomllib.loads(toml.dumps(recipe.to_dict()))) == recipe
    assert Recipe(**tomllib.loads(toml.dumps(recipe.departures()))) == recipe


def test_what_is_as_by_default_is_no_departure():
    assert Recipe().departures() == {}
    assert Recipe(size=64, seed=0).departures() == {"size": 64}
    assert presets().keys() >= {"default"}


@given(st.text())
def test_a_terminal_is_shown_nothing_but_text(text):
    assert toml.dumps({"init": text}).removesuffix("\n").isprintable()


@pytest.mark.parametrize("value", [None, b"bytes", {1, 2}, "\udcff"])
def test_what_toml_cannot_say_is_refused(value):
    with pytest.raises(UserError, match="cannot be written as TOML"):
        toml.dumps({"name": value})


def test_a_table_has_a_section_and_a_list_a_line_for_each_item():
    table = {"style_layers": {"relu1_1": 1.0, "a b": 2}, "size": 256, "steps": [30, 20]}
    assert toml.dumps(table) == (
        'size = 256\nsteps = [\n    30,\n    20,\n]\n\n[style_layers]\nrelu1_1 = 1.0\n"a b" = 2\n'
    )
