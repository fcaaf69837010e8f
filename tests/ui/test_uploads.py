"""Test the checks of uploads: content, limits and location."""

from __future__ import annotations

import zipfile

import pytest
from PIL import Image

from nst.errors import Mistakes, UserError
from nst.images import save_image
from nst.ui.uploads import Limits, copy_upload, copy_uploads

from .conftest import huge_png

LIMITS = Limits(size=500_000, pixels=10_000, pictures=3)


@pytest.fixture
def cache(tmp_path):
    (tmp_path / "cache").mkdir()
    return tmp_path / "cache"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "own").mkdir()
    return tmp_path / "own"


def test_a_picture_is_copied_under_its_own_name(cache, folder, photo):
    path = save_image(cache / "sky.jpg", photo())
    first, second = (copy_upload(str(path), cache, folder, LIMITS) for _ in range(2))
    assert (first.name, second.name) == ("sky.jpg", "sky-2.jpg")
    assert first.read_bytes() == second.read_bytes() == path.read_bytes()


def test_special_characters_in_a_name_are_replaced(cache, folder, photo):
    path = save_image(cache / "a; rm -rf $(~) \u202egnp.png", photo())
    assert copy_upload(str(path), cache, folder, LIMITS).name == "a_ rm -rf _ _gnp.png"


@pytest.mark.parametrize("content", [b"MZ\x90\0" + b"\0" * 200, b"\x7fELF" + b"\1" * 99, b"", b"#!/bin/sh\n"])
def test_a_file_that_is_no_picture_is_refused_whatever_its_name(cache, folder, content):
    (cache / "sky.jpg").write_bytes(content)
    with pytest.raises(UserError, match=r"'sky.jpg' is not a picture"):
        copy_upload(str(cache / "sky.jpg"), cache, folder, LIMITS)
    assert list(folder.iterdir()) == []


def test_an_archive_named_jpg_is_refused(cache, folder):
    with zipfile.ZipFile(cache / "sky.jpg", "w") as archive:
        archive.writestr("sky.txt", "blue")
    with pytest.raises(UserError, match="is not a picture"):
        copy_upload(str(cache / "sky.jpg"), cache, folder, LIMITS)


def test_svg_is_refused(cache, folder):
    (cache / "sky.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')
    with pytest.raises(UserError, match="is not a picture"):
        copy_upload(str(cache / "sky.svg"), cache, folder, LIMITS)


def test_a_rare_format_is_refused(cache, folder):
    Image.new("RGB", (8, 8)).save(cache / "sky.jpg", "PPM")
    with pytest.raises(UserError, match=r"'sky\.jpg' is PPM"):
        copy_upload(str(cache / "sky.jpg"), cache, folder, LIMITS)


def test_a_picture_of_too_many_pixels_is_refused_from_its_header(cache, folder):
    path = huge_png(cache / "sky.png", 40_000)
    with pytest.raises(UserError, match=r"'sky.png' has more than 10,000 pixels"):
        copy_upload(str(path), cache, folder, LIMITS)


def test_a_file_of_too_many_bytes_is_refused(cache, folder):
    (cache / "sky.png").write_bytes(b"\0" * 500_001)
    with pytest.raises(UserError, match=r"'sky.png' has"):
        copy_upload(str(cache / "sky.png"), cache, folder, LIMITS)


def test_a_file_that_was_not_uploaded_is_refused(cache, folder, outside):
    (cache / "link.png").symlink_to(outside)
    for path in (str(outside), f"{cache}/../{outside.name}", str(cache / "link.png"), str(cache)):
        with pytest.raises(UserError, match="has not been uploaded"):
            copy_upload(path, cache, folder, LIMITS)


def test_the_errors_of_several_uploads_are_reported_together(cache, folder, photo):
    paths = [save_image(cache / "good.png", photo()), cache / "bad.png", cache / "worse.png"]
    for path in paths[1:]:
        path.write_bytes(b"nothing")
    with pytest.raises(Mistakes) as error:
        copy_uploads(list(map(str, paths)), cache, folder, LIMITS)
    assert [item.message for item in error.value.errors] == [
        "'bad.png' is not a picture",
        "'worse.png' is not a picture",
    ]


def test_too_many_at_once_are_refused_unread(cache, folder):
    with pytest.raises(UserError, match="500 pictures at once"):
        copy_uploads(["/nowhere"] * 500, cache, folder, LIMITS)
