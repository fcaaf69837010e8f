"""What a job reads: content, styles and folders of them, masks, and everything that is wrong with any of it."""

from __future__ import annotations

import pytest

from nst.errors import UserError
from nst.job.inputs import Sources, parse_mask, style_sources


def test_a_folder_is_one_style_of_all_its_pictures(tmp_path, read, picture):
    folder = tmp_path / "munch"
    folder.mkdir()
    for name in ("b.jpg", "a.png", "notes.txt"):
        picture(folder / name) if name[-3:] != "txt" else (folder / name).write_text("no picture")
    inputs, errors = read([str(folder), picture(tmp_path / "wave.png")])
    assert not errors
    assert [len(style.images) for style in inputs.styles] == [2, 1]
    assert [work.source for work in inputs.style_images()] == [
        str(folder / "a.png"),
        str(folder / "b.jpg"),
        str(tmp_path / "wave.png"),
    ]


def test_a_name_that_begins_with_a_dot_is_no_picture(tmp_path):
    for name in ("a.png", "._a.png"):
        (tmp_path / name).touch()
    assert style_sources(tmp_path) == [str(tmp_path / "a.png")]


def test_a_list_is_one_style_too(tmp_path, read, picture):
    works = [picture(tmp_path / name) for name in ("b.png", "a.png")]
    inputs, _ = read([works])
    assert [work.source for work in inputs.styles[0].images] == works


def test_every_picture_is_named_with_its_role_and_style(tmp_path, read, picture):
    sky, one, two, face = (picture(tmp_path / f"{name}.png") for name in ("sky", "one", "two", "face"))
    inputs, _ = read([[one, two], two], [(sky, [one])], face)
    assert [*inputs.files()] == [
        ("content", str(tmp_path / "content.png"), 0),
        ("style", one, 1),
        ("style", two, 1),
        ("style", two, 2),
        ("mask", sky, 0),
        ("style", one, 3),
        ("protect", face, 0),
    ]


def test_an_empty_folder_is_a_mistake(tmp_path, read):
    (tmp_path / "nothing").mkdir()
    inputs, (error,) = read([str(tmp_path / "nothing")])
    assert inputs is None
    assert "no pictures in the folder" in error.message


def test_a_black_mask_is_a_mistake(tmp_path, read, picture):
    style = picture(tmp_path / "style.png")
    _, (error,) = read([], [(picture(tmp_path / "black.png", (0, 0, 0)), [style])])
    assert "black everywhere" in error.message


def test_two_patches_of_one_mask_have_names_of_their_own(tmp_path, read, picture):
    style, sky = picture(tmp_path / "style.png"), picture(tmp_path / "sky.png")
    inputs, _ = read([], [(sky, [style]), (sky, [style])])
    assert [patch.name for patch in inputs.masked_regions] == ["sky", "sky 2"]


def test_all_that_cannot_be_read_is_told_together(read):
    _, errors = read(["no.png"], [("mask.png", ["style.png"])], "protect.png")
    assert [error.message.split()[-1] for error in errors] == ["no.png", "mask.png", "style.png", "protect.png"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("sky.png:wave.jpg", ("sky.png", ["wave.jpg"])),
        ("C:\\sky.png:a.jpg,b.jpg", ("C:\\sky.png", ["a.jpg", "b.jpg"])),
        ("C:/sky.png:D:/wave.jpg,E:\\b.jpg", ("C:/sky.png", ["D:/wave.jpg", "E:\\b.jpg"])),
        ("sky.png:C:\\art\\wave.jpg", ("sky.png", ["C:\\art\\wave.jpg"])),
        ("sky.png:s3://b/wave.jpg", ("sky.png", ["s3://b/wave.jpg"])),
        ("s3://b/sky.png:s3://b/wave.jpg,gs://c/a.jpg", ("s3://b/sky.png", ["s3://b/wave.jpg", "gs://c/a.jpg"])),
        (
            "http://host:8080/sky.png:http://host:8080/wave.jpg",
            ("http://host:8080/sky.png", ["http://host:8080/wave.jpg"]),
        ),
        ("12:30.png:wave.jpg", ("12:30.png", ["wave.jpg"])),
        ("[1] sky.png:wave.jpg", ("[1] sky.png", ["wave.jpg"])),
        ('["12:30.png", "a,b:c.jpg"]', ("12:30.png", ["a,b:c.jpg"])),
        ('["sky.png", "a.jpg", "b.jpg"]', ("sky.png", ["a.jpg", "b.jpg"])),
    ],
)
def test_any_name_of_a_mask_and_its_styles_can_be_given(text, expected):
    assert parse_mask(text) == expected


@pytest.mark.parametrize(
    "text", ["sky.png", "sky.png:", ":wave.jpg", "sky.png:a.jpg,", "s3://b/sky.png", "[1, 2]", '["sky.png"]']
)
def test_a_mask_without_a_style_is_refused(text):
    with pytest.raises(UserError, match="is not MASK:STYLE"):
        parse_mask(text)


def test_sources_name_every_file_once_in_order():
    sources = Sources("c.png", ["s.png", ["a.png", "b.png"]], [("m.png", ["w.png", "v.png"])], "p.png")
    assert sources.files() == ["c.png", "s.png", "a.png", "b.png", "m.png", "w.png", "v.png", "p.png"]
