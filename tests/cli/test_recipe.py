"""`nst recipe`: what decides a picture, read from wherever it is, as TOML that `--recipe` takes."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from nst import Recipe, images
from nst.recipe.recipe import FIELDS, presets

MADE = Recipe(size=64, init="noise", losses="gram=2", optimizer_options="lr=0.5", weights="compact")


@pytest.fixture
def sources(here, photo):
    """The same recipe as a picture and as a file."""
    images.write("made.png", photo(36, 48), text={"nst": json.dumps({"recipe": MADE.to_dict()})})
    Path("made.toml").write_text('size = 64\ninit = "noise"\nlosses = "gram=2"\noptimizer_options = { lr = "0.5" }\n'
                                 'weights = "compact"\n')  # fmt: skip
    return ["made.png", "made.toml"]


def test_a_picture_and_a_file_show_what_is_not_default(nst, sources):
    for source in sources:
        done = nst("recipe", "show", source)
        assert done.code == 0
        assert set(tomllib.loads(done.out)) == {"size", "init", "losses", "optimizer_options", "weights"}
        assert Recipe(**tomllib.loads(done.out)) == MADE


def test_all_shows_every_field(nst, sources):
    shown = tomllib.loads(nst("recipe", "show", "made.png", "--all").out)
    assert shown.keys() == FIELDS.keys()
    assert Recipe(**shown) == MADE


@pytest.mark.parametrize("name", sorted(presets()))
def test_a_preset_is_shown_by_its_name(nst, here, name):
    shown = Recipe(**tomllib.loads(nst("recipe", "show", name).out))
    assert shown == Recipe(
        **tomllib.loads((Path(images.__file__).parents[1] / f"recipe/presets/{name}.toml").read_text())
    )


def test_a_recipe_of_defaults_alone_says_so_and_is_a_recipe(nst, here):
    shown = nst("recipe", "show", "default").out
    assert shown.startswith("# every field has its default value")
    assert tomllib.loads(shown) == {}


def test_recipes_that_are_the_same_do_not_differ(nst, sources):
    assert nst("recipe", "diff", *sources).out == ""


def test_what_differs_is_shown_field_by_field(nst, sources):
    done = nst("recipe", "diff", "made.png", "gatys")
    assert done.out.splitlines()[:8] == [
        "- weights = [",
        '-     "compact",',
        "- ]",
        "+ weights = [",
        '+     "auto",',
        "+ ]",
        "- size = 64",
        "+ size = 512",
    ]
    assert "seed" not in done.out


@pytest.mark.frameworks
def test_a_recipe_that_was_saved_makes_the_same_picture(nst, here, fast):
    words = ["content.png", "style.png", "-o", "out.png"]
    assert nst("stylize", *words, *fast, "--init", "noise", "--seed", "4", "--optimizer", "adam").code == 0
    assert nst("recipe", "save", "out.png", "-o", "mine.toml").code == 0
    assert nst("stylize", *words[:2], "-o", "again.png", "--recipe", "mine.toml").code == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_a_recipe_goes_where_it_can_be_written_or_nowhere(nst, sources):
    done = nst("recipe", "save", "made.png", "-o", "none/mine.toml")
    assert (done.code, done.errors) == (2, ["cannot write 'none/mine.toml': No such file or directory"])


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("content.png", "content.png contains no provenance record"),
        ("none.png", "there is no file none.png"),
        ("none.toml", "cannot read recipe 'none.toml': No such file or directory"),
        ("quik", "unknown preset 'quik'"),
        ("style.txt", "recipe 'style.txt' is not TOML"),
    ],
)
def test_what_is_no_recipe_is_said(nst, here, source, message):
    Path("style.txt").write_text("size = ")
    done = nst("recipe", "show", source)
    assert (done.code, done.out) == (2, "")
    assert message in done.err


def test_every_mistake_in_a_recipe_is_listed(nst, here):
    Path("bad.toml").write_text('size = "big"\nseed = -1\nstile_weight = 5\n')
    done = nst("recipe", "show", "bad.toml")
    assert done.code == 2
    assert len(done.errors) == len(done.hints) == 3
