"""Options made from the recipe's fields: one for each, saying what the recipe says."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from typer.main import get_command

from nst import Recipe
from nst.cli.app import app
from nst.cli.recipe_options import PANELS, _default, _spellings
from nst.recipe.recipe import FIELDS, flag

PAINTING = ["stylize", "demo"]


def options(command):
    """The flags of each option of a command, by the name its value arrives under."""
    return {option.name: option.opts for option in get_command(app).commands[command].params}


@pytest.fixture(scope="module")
def helps():
    """`--help` of a painting command, without frames and line breaks."""
    from typer.testing import CliRunner

    def read(command):
        text = CliRunner().invoke(app, [command, "--help"], env={"COLUMNS": "250", "NO_COLOR": "1"}).output
        return " ".join(re.sub("[│╭╮╰╯─]", " ", text).split())

    return {command: read(command) for command in PAINTING}


@pytest.mark.parametrize("command", PAINTING)
def test_every_field_is_one_option_spelled_like_it(command):
    found = options(command)
    for name in FIELDS:
        assert flag(name) in found[name]
        assert all(each.startswith("--") for each in found[name])
    assert max(Counter(each for flags in found.values() for each in flags).values()) == 1


def test_plural_fields_of_settings_are_singular_flags():
    assert options("stylize")["init_options"] == ["--init-option"]


def test_both_spellings_of_optimizer_are_understood():
    for name in ("optimizer", "optimizer_options"):
        american = flag(name)
        assert _spellings(name) == [american, american.replace("z", "s")]
    assert _spellings("size") == ["--size"]


@pytest.mark.parametrize("command", PAINTING)
@pytest.mark.parametrize("name", FIELDS)
def test_help_says_what_the_field_says_and_its_default(helps, command, name):
    field = FIELDS[name]
    assert f"{field.metadata['metavar']} {field.metadata['help']}{_default(field)}" in helps[command]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("size", " (default: 512)"),
        ("seed", " (default: 0)"),
        ("tv_weight", " (default: 0)"),
        ("content_weight", " (default: 20)"),
        ("weights", " (default: auto)"),
        ("style_scale", " (default: 1)"),
        ("init", " (default: style-stats)"),
        ("content_layers", " (default: relu4_2=1)"),
        ("style_layers", " (default: relu1_1=1,relu2_1=1,relu3_1=1,relu4_1=1,relu5_1=1)"),
    ],
)
def test_a_default_is_written_as_it_would_be_typed(name, said):
    assert _default(FIELDS[name]) == said
    typed = said.removeprefix(" (default: ").removesuffix(")")
    assert getattr(Recipe(**{name: typed}), name) == getattr(Recipe(), name)


@pytest.mark.parametrize("name", FIELDS)
def test_every_default_is_told_once_or_is_empty(name):
    told = FIELDS[name].metadata["help"] + _default(FIELDS[name])
    empty = getattr(Recipe(), name) in ({}, ())
    assert told.count("(default: ") == 1 or (empty and "(default: " not in told)


def test_panels_name_fields_once():
    named = [name for names in PANELS.values() for name in names]
    assert set(named) < set(FIELDS)
    assert len(named) == len(set(named))
