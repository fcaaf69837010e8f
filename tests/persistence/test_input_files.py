"""A run's files are found where they were, or by their bytes; anything else is said."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from nst import Recipe
from nst.errors import Mistakes, UserError
from nst.job.inputs import Sources
from nst.persistence import input_files
from nst.persistence.input_files import Input, Located, locate


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
    paths = {"content": "content.png", "style": "style.png", "init": "start.png", "weights": "vgg.safetensors"}
    return [input_files.read(role, path) for role, path in paths.items()]


RECIPE = Recipe(init="start.png", weights="vgg.safetensors,compact")


def find(recorded, **how):
    return locate(recorded, RECIPE, [Path(), Path("elsewhere")], **how)


def move(name, to):
    Path(to).parent.mkdir(exist_ok=True)
    shutil.move(name, to)


@pytest.mark.parametrize("exact", [True, False])
def test_what_is_where_it_was_is_found_without_a_word(recorded, exact):
    found = find(recorded, exact=exact)
    assert found == Located(Sources("content.png", ["style.png"], []), RECIPE, [])


def test_a_path_may_hold_from_another_folder(recorded, here, monkeypatch):
    monkeypatch.chdir("elsewhere")
    found = locate(recorded, RECIPE, [Path(), here])
    assert Path(found.sources.content) == here / "content.png"
    assert [Path(name) for name in found.recipe.weights] == [here / "vgg.safetensors", Path("compact")]


@pytest.mark.parametrize("exact", [True, False])
def test_a_file_that_was_moved_or_renamed_is_found_by_its_bytes(recorded, exact):
    move("content.png", "elsewhere/photo.png")
    move("start.png", "elsewhere/start.png")
    move("vgg.safetensors", "weights.safetensors")
    found = find(recorded, exact=exact)
    assert found.sources.content == os.path.join("elsewhere", "photo.png")
    assert found.recipe.init == os.path.join("elsewhere", "start.png")
    assert found.recipe.weights == (os.path.join(".", "weights.safetensors"), "compact")
    assert found.notes[0] == f"content content.png is now {found.sources.content}"


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
    assert (found.sources.styles, found.notes) == (["style.png"], ["style style.png has changed"])


@pytest.fixture
def parts(here):
    """A run of a folder of two works and a picture, a mask with two styles of its own, and what is held on to."""
    (here / "munch").mkdir()
    for name in ("munch/a.png", "munch/b.png", "sky.png", "wave.png", "gold.png", "face.png"):
        (here / name).write_text(name * 9)
    given = [("content", "content.png", 0), ("style", "munch/a.png", 1), ("style", "munch/b.png", 1)]
    given += [("style", "style.png", 2), ("mask", "sky.png", 0), ("style", "wave.png", 3), ("style", "gold.png", 4)]
    return [input_files.read(role, path, style=style) for role, path, style in [*given, ("protect", "face.png", 0)]]


WHOLE = Sources(
    "content.png",
    [["munch/a.png", "munch/b.png"], "style.png"],
    [("sky.png", ["wave.png", "gold.png"])],
    "face.png",
)


def test_masks_and_folders_come_back_with_their_styles(parts):
    assert find(parts).sources == WHOLE


def test_the_parts_of_a_run_are_found_by_their_bytes(parts):
    for name in ("munch/b.png", "sky.png", "gold.png", "face.png"):
        move(name, f"elsewhere/{Path(name).name}.png")
    found = find(parts).sources
    assert found.styles == [["munch/a.png", "elsewhere/b.png.png"], "style.png"]
    assert found.masks == [("elsewhere/sky.png.png", ["wave.png", "elsewhere/gold.png.png"])]
    assert found.protect == "elsewhere/face.png.png"


def test_a_folder_with_another_picture_in_it_is_still_the_works_it_was(parts):
    Path("munch/0.png").write_text("new")
    assert find(parts).sources == WHOLE
    with pytest.raises(UserError, match=r"munch is not the style of this run \(munch/a\.png and 1 more\)"):
        find(parts, named={"style": ["munch", "style.png", "wave.png", "gold.png"]})


def test_a_folder_that_was_moved_is_named_as_one_style(parts):
    shutil.move("munch", "works")
    found = find(parts, named={"style": ["works", "style.png", "wave.png", "gold.png"]}).sources
    assert found.styles == ["works", "style.png"]
    assert found.masks == WHOLE.masks


def test_other_masks_and_styles_are_named_one_for_each(parts):
    named = {"style": ["style.png", "gold.png"], "mask": ["face.png", "sky.png"]}
    with pytest.raises(Mistakes) as caught:
        find(parts, named=named, exact=False)
    assert [error.message for error in caught.value.errors] == [
        "--style is given 2 times for 4",
        "--mask is given 2 times for 1",
    ]
    found = find(parts, named={"mask": ["face.png"], "protect": "sky.png"}, exact=False)
    assert (found.sources.masks[0][0], found.sources.protect) == ("face.png", "sky.png")
    assert found.notes == ["mask: face.png in place of sky.png", "protect: sky.png in place of face.png"]


def test_a_mask_without_styles_is_refused(parts):
    masks = [each for each in parts if each.style < 3]
    with pytest.raises(UserError, match="does not record which style belongs to its mask"):
        find(masks)


def test_a_file_of_the_same_length_is_not_the_same(recorded):
    Path("style.png").write_text("style.pnG" * 9)
    assert not recorded[1].is_at("style.png")


def test_files_that_the_person_names_must_be_the_very_ones_or_are_told(recorded):
    shutil.copy("content.png", "copy.png")
    assert find(recorded, named={"content": "copy.png"}).sources.content == "copy.png"
    with pytest.raises(UserError, match=r"style\.png is not the content of this run \(content\.png\)"):
        find(recorded, named={"content": "style.png"})
    found = find(recorded, named={"content": "style.png"}, exact=False)
    assert (found.sources.content, found.notes) == ("style.png", ["content: style.png in place of content.png"])


def test_there_must_be_as_many_styles_as_there_were(recorded):
    with pytest.raises(UserError, match="--style is given 2 times for 1"):
        find(recorded, named={"style": ["style.png", "style.png"]})


def test_roles_that_are_replaced_are_not_looked_for(recorded):
    os.unlink("start.png")
    assert find(recorded, skipped=["init", "size"]).recipe == RECIPE


def test_what_was_in_memory_must_be_named(here):
    recorded = [input_files.read("content", ""), input_files.read("style", os.devnull)]
    with pytest.raises(Mistakes) as caught:
        find(recorded)
    assert [error.message for error in caught.value.errors] == [
        "the content was not read from a file",
        "the style was not read from a file",
    ]


def test_what_is_not_recorded_must_be_named(here):
    with pytest.raises(Mistakes, match="the picture does not record its content"):
        find([])
    assert find([], named={"content": "a.png", "style": ["b.png"]}, exact=False).sources.content == "a.png"


@pytest.mark.parametrize("path", ["/dev/zero", "/dev/stdin", "\0", "x" * 9000, ".", ""])
def test_a_path_to_no_file_is_looked_at_and_not_opened(here, path):
    with pytest.raises(UserError):
        find([Input("content", path, 1, "0" * 64), Input("style", path, 1, "0" * 64)])
