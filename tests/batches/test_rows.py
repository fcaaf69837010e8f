"""Which pictures a pattern names."""

from __future__ import annotations

import pytest

from nst.batches.rows import expand, pairs
from nst.errors import Mistakes, UserError


def test_every_content_meets_every_style_in_the_order_of_their_names(desk):
    found = [(row.number, row.content, row.styles) for row in pairs(["photos/*.png"], ["paintings"])]
    assert found == [
        (1, "photos/cat.png", ["paintings/sea.png"]),
        (2, "photos/cat.png", ["paintings/sky.png"]),
        (3, "photos/dog.png", ["paintings/sea.png"]),
        (4, "photos/dog.png", ["paintings/sky.png"]),
    ]


def test_a_picture_that_two_patterns_name_is_painted_once(desk):
    assert len(pairs(["photos/*.png", "photos/cat.png"], ["paintings/sea.png"])) == 2


def test_patterns_that_name_nothing_are_told_together(desk):
    with pytest.raises(Mistakes) as raised:
        pairs(["photos/*.tif"], ["nowhere/*", "paintings/*.webp"])
    assert [error.message for error in raised.value.errors] == [
        "--content 'photos/*.tif' names no picture",
        "--style 'nowhere/*' names no picture",
        "--style 'paintings/*.webp' names no picture",
    ]


def test_without_a_pattern_nothing_can_be_painted(desk):
    with pytest.raises(Mistakes, match=r"there is no --content; there is no --style"):
        pairs([], [])


def test_of_what_a_pattern_names_only_pictures_count(desk):
    (desk / "photos" / "notes.txt").touch()
    assert expand("--content", "photos/*") == ["photos/cat.png", "photos/dog.png"]
    with pytest.raises(UserError, match="of 1 files none is a picture"):
        expand("--content", "photos/*.txt")


def test_a_name_that_begins_with_a_dot_is_no_picture(desk):
    """MacOS leaves `._cat.png` beside `cat.png` on other file systems."""
    (desk / "photos" / "._cat.png").touch()
    for pattern in ("photos", "photos/*"):
        assert expand("--content", pattern) == ["photos/cat.png", "photos/dog.png"]
    with pytest.raises(UserError, match="names no picture"):
        expand("--content", "photos/.*")


def test_a_file_whose_name_looks_like_a_pattern_is_a_file(desk):
    (desk / "a[1].png").touch()
    assert expand("--content", "a[1].png") == ["a[1].png"]


def test_a_name_that_is_no_pattern_is_taken_as_it_is(desk):
    """So that the picture has its row, and its reason."""
    assert expand("--content", "gone.png") == ["gone.png"]


def test_folders_within_folders_are_named_by_two_stars(desk):
    assert len(expand("--content", "**/*.png")) == 4
