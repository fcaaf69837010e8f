"""Shared storage by URL, in memory and in files: what is there, and what is written whole or not at all."""

from __future__ import annotations

import pytest

from nst.errors import UserError
from nst.io import remote

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["memory", "file"])
def root(request, tmp_path):
    """The URL of an empty folder, and what it holds."""
    if request.param == "file":
        return f"file://{tmp_path / 'shared'}"
    system = fsspec.filesystem("memory")
    system.store.clear()
    system.pseudo_dirs[:] = [""]
    return "memory://shared"


@pytest.fixture
def local(tmp_path):
    file = tmp_path / "local"
    file.write_bytes(b"picture")
    return file


@pytest.mark.parametrize(
    ("path", "url"), [("s3://a/b", True), ("file:///a", True), ("a", False), ("C:\\a", False), ("a/b", False)]
)
def test_a_url_is_told_from_a_path(path, url):
    assert remote.is_url(path) == url


def test_what_is_written_is_there_whole_and_nothing_else(root, local):
    remote.write(f"{root}/sub/a.png", local)
    remote.write(f"{root}/sub/a.png", local)
    assert remote.read(f"{root}/sub/a.png") == b"picture"
    assert [name.rpartition("/")[2] for name in remote.glob(f"{root}/sub")] == ["a.png"]


def test_it_is_fetched_as_it_was(root, local, tmp_path):
    remote.write(f"{root}/a.png", local)
    remote.fetch(f"{root}/a.png", tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"picture"


def test_a_pattern_names_urls(root, local):
    for name in ("a.png", "b.jpg"):
        remote.write(f"{root}/{name}", local)
    (found,) = remote.glob(f"{root}/*.png")
    assert remote.is_url(found)
    assert remote.read(found) == b"picture"


def test_an_end_in_the_middle_leaves_the_old_file_and_nothing_else(root, local, monkeypatch):
    remote.write(f"{root}/a.png", local)
    system = type(fsspec.filesystem(root.partition("://")[0]))
    local.write_bytes(b"new")

    def fail(*_):
        raise OSError("no room")

    monkeypatch.setattr(system, "mv", fail)
    with pytest.raises(UserError, match="no room"):
        remote.write(f"{root}/a.png", local)
    assert [remote.read(url) for url in remote.glob(root)] == [b"picture"]


def test_what_is_not_there_is_named(root):
    with pytest.raises(UserError, match=f"there is no {root}/gone.png"):
        remote.read(f"{root}/gone.png")


def test_a_kind_of_storage_that_nobody_knows_is_named():
    with pytest.raises(UserError, match="cannot reach nowhere://a"):
        remote.read("nowhere://a")


def test_names_are_joined_as_each_is_written(tmp_path):
    assert remote.join("s3://bucket/out", "a.png") == "s3://bucket/out/a.png"
    assert remote.join(str(tmp_path), "a.png") == str(tmp_path / "a.png")


@pytest.mark.parametrize("pattern", ["?.png", "[ab].png", "[!b].png", "a*"])
def test_patterns_are_those_of_local_folders(root, local, pattern):
    for name in ("a.png", "cd.png", "b.jpg"):
        remote.write(f"{root}/{name}", local)
    assert [name.rpartition("/")[2] for name in remote.glob(f"{root}/{pattern}")] == ["a.png"]
