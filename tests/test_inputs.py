"""A run's files are found where they were, or by their bytes; anything else is said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from nst import Recipe, inputs
from nst.errors import Mistakes, UserError
from nst.inputs import Input, locate


@pytest.fixture
def here(tmp_path, monkeypatch):
    """The current folder, with four files, and an empty `elsewhere`."""
    for name in ("content.png", "style.png", "start.png", "vgg.safetensors"):
        (tmp_path / name).write_text(name * 9)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def recorded(here):
    files = {"content": "content.png", "style": "style.png", "init": "start.png", "weights": "vgg.safetensors"}
    return [inputs.read(role, path) for role, path in files.items()]


RECIPE = Recipe(init="start.png", weights="vgg.safetensors,compact")


def find(recorded, **how):
    return locate(recorded, RECIPE, [Path(), Path("elsewhere")], **how)


def move(name, to):
    Path(to).parent.mkdir(exist_ok=True)
    shutil.move(name, to)


@pytest.mark.parametrize("exact", [True, False])
def test_what_is_where_it_was_is_found_without_a_word(recorded, exact):
    found = find(recorded, exact=exact)
    assert (found.content, found.styles, found.recipe, found.notes) == ("content.png", ["style.png"], RECIPE, [])


def test_a_path_may_hold_from_another_folder(recorded, here, monkeypatch):
    monkeypatch.chdir("elsewhere")
    found = locate(recorded, RECIPE, [Path(), here])
    assert Path(found.content) == here / "content.png"
    assert [Path(name) for name in found.recipe.weights] == [here / "vgg.safetensors", Path("compact")]


@pytest.mark.parametrize("exact", [True, False])
def test_a_file_that_was_moved_or_renamed_is_found_by_its_bytes(recorded, exact):
    move("content.png", "elsewhere/photo.png")
    move("start.png", "elsewhere/start.png")
    move("vgg.safetensors", "weights.safetensors")
    found = find(recorded, exact=exact)
    assert found.content == os.path.join("elsewhere", "photo.png")
    assert found.recipe.init == os.path.join("elsewhere", "start.png")
    assert found.recipe.weights == (os.path.join(".", "weights.safetensors"), "compact")
    assert found.notes[0] == f"content content.png is now {found.content}"


def test_files_that_are_gone_are_all_named(recorded):
    os.unlink("content.png")
    os.unlink("start.png")
    with pytest.raises(Mistakes) as caught:
        find(recorded)
    told = [(error.message, error.hint) for error in caught.value.errors]
    assert told == [
        ("the content content.png is gone", "--content FILE, or put it into this folder"),
        ("the init start.png is gone", "--init FILE, or put it into this folder"),
    ]


def test_a_file_that_has_changed_is_refused_or_told(recorded):
    Path("style.png").write_text("other")
    with pytest.raises(UserError, match=r"the style style\.png has changed"):
        find(recorded)
    found = find(recorded, exact=False)
    assert (found.styles, found.notes) == (["style.png"], ["style style.png has changed"])


def test_a_file_of_the_same_length_is_not_the_same(recorded):
    Path("style.png").write_text("style.pnG" * 9)
    assert not recorded[1].is_at("style.png")


def test_files_that_the_person_names_must_be_the_very_ones_or_are_told(recorded):
    shutil.copy("content.png", "copy.png")
    assert find(recorded, content="copy.png").content == "copy.png"
    with pytest.raises(UserError, match=r"style\.png is not the content of this run \(content\.png\)"):
        find(recorded, content="style.png")
    found = find(recorded, content="style.png", exact=False)
    assert (found.content, found.notes) == ("style.png", ["content: style.png in place of content.png"])


def test_there_must_be_as_many_styles_as_there_were(recorded):
    with pytest.raises(UserError, match="2 files are named for 1"):
        find(recorded, styles=["style.png", "style.png"])


def test_roles_that_are_replaced_are_not_looked_for(recorded):
    os.unlink("start.png")
    assert find(recorded, skipped=["init", "size"]).recipe == RECIPE


def test_what_was_in_memory_must_be_named(here):
    recorded = [inputs.read("content", ""), inputs.read("style", os.devnull)]
    with pytest.raises(Mistakes) as caught:
        find(recorded)
    assert [error.message for error in caught.value.errors] == [
        "the content was not read from a file",
        "the style was not read from a file",
    ]


def test_what_is_not_recorded_must_be_named(here):
    with pytest.raises(Mistakes, match="it is not recorded which content it was made of"):
        find([])
    assert find([], content="a.png", styles=["b.png"], exact=False).content == "a.png"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "\0", "x" * 9000, ".", ""])
def test_a_path_to_no_file_is_looked_at_and_not_opened(here, path):
    with pytest.raises(UserError):
        find([Input("content", path, 1, "0" * 64), Input("style", path, 1, "0" * 64)])
