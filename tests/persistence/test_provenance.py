"""What a picture says of its making: all of it, read back as data that nobody has to trust."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst import Recipe, images, save_image
from nst.errors import Mistakes, UserError
from nst.images import WriteOptions
from nst.io.download import sha256_of
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.persistence import provenance
from nst.persistence.input_files import Input
from nst.persistence.provenance import Record, changes, from_dict, parse
from nst.vgg.network import write

FULL = Record(
    Recipe(size=64, losses="gram=2", weights="compact,my.safetensors"),
    (Input("content", "a.png", 5, "a" * 64), Input("style", "", 0, "")),
    {"compact": "b" * 64},
    {"nst": "0.1.0", "torch": "2.9"},
    WriteOptions(bit_depth="16", keep_profile=True),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@pytest.fixture
def here(tmp_path, photo, make_network, monkeypatch):
    for name in ("content.png", "style.png", "start.png"):
        save_image(tmp_path / name, photo(36, 48))
    write(tmp_path / "small.safetensors", make_network())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_record_comes_back_from_its_json():
    assert parse(json.dumps(FULL.to_dict()), "out.png") == FULL


@pytest.mark.frameworks
def test_a_record_holds_every_file_weight_and_version(here, plugins):
    recipe = Recipe(weights="small.safetensors", init="start.png", size=48, device="cpu")
    found = provenance.record(Job(Sources("content.png", ["style.png"]), recipe, plugins))
    assert [(each.role, each.path) for each in found.inputs] == [
        ("content", "content.png"),
        ("style", "style.png"),
        ("init", "start.png"),
        ("weights", "small.safetensors"),
    ]
    for each in found.inputs:
        assert (each.size, each.sha256) == ((here / each.path).stat().st_size, sha256_of(here / each.path))
    assert found.weights == {"small.safetensors": sha256_of(here / "small.safetensors")}
    assert set(found.versions) == {"nst", "numpy", "pillow", "nst-torch", "torch", "nst-optimizers", "array_api_compat"}
    assert all(found.versions.values())
    assert found.recipe == recipe


@pytest.mark.frameworks
def test_a_record_holds_masks_folders_and_what_is_protected(here, photo, plugins):
    (here / "works").mkdir()
    for seed, name in enumerate(("works/a.png", "works/b.png", "mask.png")):
        save_image(here / name, photo(36, 48, seed=seed))
    masks = [("mask.png", ["style.png"])]
    job = Job(Sources("content.png", ["works"], masks, "start.png"), Recipe(size=48), plugins)
    found = provenance.record(job)
    assert [(each.role, each.path, each.style) for each in found.inputs] == [
        ("content", "content.png", 0),
        ("style", str(Path("works", "a.png")), 1),
        ("style", str(Path("works", "b.png")), 1),
        ("mask", "mask.png", 0),
        ("style", "style.png", 2),
        ("protect", "start.png", 0),
    ]
    assert all(each.sha256 for each in found.inputs)
    assert parse(json.dumps(found.to_dict()), "out.png") == found


@pytest.mark.frameworks
def test_a_record_names_the_weights_that_auto_stood_for(photo, plugins):
    job = Job(Sources(photo(36, 48), [photo(40, 40)]), Recipe(size=48), plugins)
    found = provenance.record(job)
    assert found.recipe.weights == (job.weights.name,) != ("auto",)
    assert found.inputs == (Input("content", ""), Input("style", "", style=1))


def test_what_is_not_as_it_was_is_said_in_words():
    now = replace(FULL, versions={"nst": "0.2.0", "torch": "2.9"}, weights={"compact": "c" * 64})
    assert changes(FULL, FULL) == []
    assert changes(FULL, now) == ["the weights compact have changed", "nst was 0.1.0, and is 0.2.0"]


def test_weights_under_another_name_are_the_same():
    assert changes(FULL, replace(FULL, weights={"elsewhere/vgg.safetensors": "b" * 64})) == []


def test_a_picture_that_says_nothing_is_refused(tmp_path, photo):
    save_image(tmp_path / "plain.png", photo())
    with pytest.raises(UserError, match=r"plain\.png contains no provenance record"):
        provenance.read(tmp_path / "plain.png")


@pytest.mark.parametrize("suffix", images.SUFFIXES)
def test_every_format_carries_the_record(tmp_path, photo, suffix):
    file = images.write(tmp_path / f"out{suffix}", photo(), text={"nst": json.dumps(FULL.to_dict())})
    assert provenance.read(file) == FULL


@pytest.mark.parametrize(
    "text", ["", "x", "[]", "3", "null", "[" * 100_000, '{"recipe": 3}', '{"recipe": []}', "9" * 9999]
)
def test_text_that_is_no_record_is_refused(text):
    with pytest.raises(UserError, match=r"the provenance record of out\.png cannot be read"):
        parse(text, "out.png")


@pytest.mark.parametrize(
    "changes",
    [
        {"inputs": {}},
        {"inputs": [3]},
        {"inputs": [{}]},
        {"inputs": [{"role": "report", "path": "a", "size": 1, "sha256": "a" * 64}]},
        {"inputs": [{"role": "style", "path": 3, "size": 1, "sha256": "a" * 64}]},
        {"inputs": [{"role": "style", "path": "a", "size": -1, "sha256": "a" * 64}]},
        {"inputs": [{"role": "style", "path": "a", "size": True, "sha256": "a" * 64}]},
        {"inputs": [{"role": "style", "path": "a", "size": 1, "sha256": "a" * 63 + "!"}]},
        {"inputs": [{"role": "style", "path": "", "size": 0, "sha256": ""}] * 1001},
        {"weights": []},
        {"weights": {"compact": 3}},
        {"versions": {str(i): "" for i in range(1001)}},
        {"options": 3},
        {"options": {"quality": "95"}},
        {"options": {"keep_profile": 1}},
    ],
    ids=lambda changes: str(changes)[:60],
)
def test_a_record_of_wrong_types_is_refused(changes):
    with pytest.raises(UserError, match="cannot be read"):
        from_dict({**FULL.to_dict(), **changes}, "out.png")


def test_every_mistake_in_its_recipe_is_reported():
    with pytest.raises(Mistakes) as caught:
        from_dict({"recipe": {"size": "big", "seed": -1, "colour": "lab"}}, "out.png")
    assert [error.message.startswith("out.png: ") for error in caught.value.errors] == [True] * 3


def test_a_recipe_alone_is_record_enough():
    assert from_dict({"recipe": {"size": 64}}, "out.png") == Record(Recipe(size=64))


@settings(max_examples=200)
@given(st.fixed_dictionaries({}, optional=dict.fromkeys((*FULL.to_dict(), "more"), JSON)))
def test_any_json_is_a_record_or_refused(data):
    with suppress(UserError):
        assert isinstance(from_dict(data, "out.png"), Record)
