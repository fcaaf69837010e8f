"""A file is replaced, and a folder made, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import BinaryIO

import pytest

from nst.io.atomic import folder, replace


def fail(file: BinaryIO) -> None:
    file.write(b"half of")
    raise RuntimeError("the encoder gave up")


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_new_file_has_what_was_written_and_the_rights_of_any_new_file(tmp_path: Path) -> None:
    usual = tmp_path / "usual"
    usual.touch()
    replace(tmp_path / "new", lambda file: file.write(b"new"))
    assert (tmp_path / "new").read_bytes() == b"new"
    assert mode(tmp_path / "new") == mode(usual)


def test_an_old_file_is_replaced_and_keeps_its_rights(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old and longer")
    path.chmod(0o640)
    replace(path, lambda file: file.write(b"new"))
    assert path.read_bytes() == b"new"
    assert mode(path) == 0o640


def test_the_old_file_is_there_until_the_new_one_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def write(file: BinaryIO) -> None:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"

    replace(path, write)
    assert path.read_bytes() == b"new"


def test_an_error_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")
    with pytest.raises(RuntimeError, match="gave up"):
        replace(path, fail)
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_error_at_a_new_file_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="gave up"):
        replace(tmp_path / "file", fail)
    assert os.listdir(tmp_path) == []


def test_a_link_keeps_pointing_where_it_did(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    target, link = tmp_path / "folder" / "target", tmp_path / "link"
    target.write_bytes(b"old")
    link.symlink_to(target)
    replace(link, lambda file: file.write(b"new"))
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert os.listdir(tmp_path / "folder") == ["target"]


def test_a_folder_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        replace(tmp_path / "folder", lambda file: file.write(b"new"))
    assert os.listdir(tmp_path) == ["folder"]


def test_a_missing_folder_is_the_disks_own_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        replace(tmp_path / "none" / "file", lambda file: file.write(b"new"))


def test_a_new_folder_has_its_files_in_their_folders(tmp_path: Path) -> None:
    folder(tmp_path / "new", {"a.txt": "a\n", "deep/er/b.txt": "größer"})
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"a\n"
    assert (tmp_path / "new" / "deep" / "er" / "b.txt").read_text("utf-8") == "größer"
    assert list(tmp_path.iterdir()) == [tmp_path / "new"]


def test_a_folder_with_something_in_it_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "precious").touch()
    with pytest.raises(OSError, match="not empty"):
        folder(tmp_path / "old", {"a.txt": "a"})
    assert [path.name for path in tmp_path.rglob("*")] == ["old", "precious"]


def test_a_folder_that_cannot_be_finished_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(UnicodeEncodeError):
        folder(tmp_path / "new", {"a.txt": "a", "b.txt": "\ud800"})
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_not_made_where_its_parent_is_not(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        folder(tmp_path / "none" / "new", {"a.txt": "a"})
    assert list(tmp_path.iterdir()) == []
