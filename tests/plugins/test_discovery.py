"""Discovery returns what importlib.metadata returns for the groups `nst.v<N>`; corrupt files harm nobody else."""

from __future__ import annotations

import importlib.metadata
import sys
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nst.plugins.discovery import EntryPoint, canonical, discover

TABLE = "[nst.v1]\nmine = my_package\n"
LINES = [
    "",
    "  ",
    "# mine = my_package",
    "[nst.v1]",
    "[nst.v2]",
    "[nst.vnext]",
    "[nst]",
    "[other.nst.v1]",
    "[ nst.v1 ]",
    "[console_scripts]",
    "  [nst.v1]  ",
    "[nst.v1] # = not a group",
    "mine = my_package",
    "mine=my_package.entry",
    "  spaced   =   my_package  ",
    "käse = käse.entry",
    "own = my_package:attribute",
    "extra = my_package [torch]",
    "a = b = c",
]


def install(folder: Path, name: str, table: str | None = TABLE) -> Path:
    """A distribution's metadata: `name` is `mine-1.0.dist-info` or `mine-1.0-py3.11.egg-info`."""
    (folder / name).mkdir(parents=True)
    project, version, *_ = name.lstrip("~").rpartition(".")[0].split("-")
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    (folder / name / ("METADATA" if name.endswith(".dist-info") else "PKG-INFO")).write_text(metadata)
    if table is not None:
        (folder / name / "entry_points.txt").write_text(table, "utf-8")
    return folder


def rows(entries: Iterable[EntryPoint]) -> set[tuple[str, ...]]:
    return {(entry.group, entry.name, entry.module, entry.distribution, entry.version) for entry in entries}


def pythons_rows() -> set[tuple[str, ...]]:
    """What Python itself finds on `sys.path`."""
    table = importlib.metadata.entry_points()
    groups = [group for group in table.groups if group.startswith("nst.v")]
    lines = [line for group in groups for line in importlib.metadata.entry_points(group=group)]
    return {(line.group, line.name, line.value, line.dist.name, line.dist.version) for line in lines}


def test_agrees_with_python_on_what_is_installed() -> None:
    assert rows(discover()) == pythons_rows()
    assert "nst.builtin_plugins" in {entry.module for entry in discover()}


@pytest.mark.parametrize(
    "name", ["mine-1.0.dist-info", "My.Own_thing-2.0.dist-info", "a__b-1.0+cpu.dist-info", "mine-1.0-py3.11.egg-info"]
)
def test_agrees_with_python_on_names_and_versions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(sys, "path", [str(install(tmp_path, name))])
    assert rows(discover()) == pythons_rows() != set()


@pytest.mark.parametrize("first", [TABLE, "[nst.v1]\nother = other\n", "[console_scripts]\na = b\n", "", None])
def test_agrees_with_python_that_an_install_hides_later_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str | None
) -> None:
    front = install(tmp_path / "front", "My_plugin-2.0.dist-info", first)
    back = install(tmp_path / "back", "my.plugin-1.0.dist-info")
    monkeypatch.setattr(sys, "path", [str(front), str(back)])
    assert rows(discover()) == pythons_rows()
    assert "1.0" not in {entry.version for entry in discover()}


@settings(max_examples=80)
@given(lines=st.lists(st.sampled_from(LINES)), end=st.sampled_from(["\n", "\r\n"]))
def test_agrees_with_python_on_any_table(tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str) -> None:
    folder = install(tmp_path_factory.mktemp("site"), "mine-1.0.dist-info", None)
    (folder / "mine-1.0.dist-info" / "entry_points.txt").write_bytes(end.join(lines).encode())
    distribution = importlib.metadata.Distribution.at(folder / "mine-1.0.dist-info")
    expected = {(line.group, line.name, line.value) for line in distribution.entry_points if line.group[:5] == "nst.v"}
    assert {(entry.group, entry.name, entry.module) for entry in discover([str(folder)])} == expected


def test_every_distribution_of_every_folder_is_found(tmp_path: Path) -> None:
    install(tmp_path / "a", "one-1.0.dist-info")
    install(tmp_path / "a", "two-1.0.dist-info", "[nst.v1]\nfirst = x\nsecond = y\n[nst.v2]\nthird = z\n")
    install(tmp_path / "b", "three-3.1.egg-info")
    entries = discover([str(tmp_path / "a"), str(tmp_path / "b")])
    assert {(entry.distribution, entry.module) for entry in entries} == {
        ("one", "my_package"),
        ("two", "x"),
        ("two", "y"),
        ("two", "z"),
        ("three", "my_package"),
    }


def test_two_versions_in_one_folder_are_one(tmp_path: Path) -> None:
    install(tmp_path, "mine-1.0.dist-info")
    assert len(discover([str(install(tmp_path, "mine-2.0.dist-info"))])) == 1


def test_a_line_written_twice_counts_once(tmp_path: Path) -> None:
    assert len(discover([str(install(tmp_path, "mine-1.0.dist-info", TABLE + TABLE))])) == 1


def test_a_folder_named_by_the_empty_string_is_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(install(tmp_path, "mine-1.0.dist-info"))
    assert len(discover([""])) == 1


def test_a_table_that_cannot_be_opened_hides_no_other(tmp_path: Path) -> None:
    install(tmp_path, "good-1.0.dist-info")
    (tmp_path / "file-1.0.egg-info").write_text("Name: file")
    (install(tmp_path, "folder-1.0.dist-info", None) / "folder-1.0.dist-info" / "entry_points.txt").mkdir()
    (install(tmp_path, "dangling-1.0.dist-info", None) / "dangling-1.0.dist-info" / "entry_points.txt").symlink_to("no")
    missing, file = tmp_path / "missing", tmp_path / "file-1.0.egg-info"
    assert [entry.distribution for entry in discover([str(missing), str(file), str(tmp_path)])] == ["good"]


CORRUPT = {
    "bytes that are no text": ("entry_points.txt", b"# \xff\n[nst.v1]\nmine = my_package\n", "UnicodeDecodeError"),
    "a line without =": ("entry_points.txt", b"[nst.v1]\nno equals sign\n", ""),
    "no name": ("METADATA", b"Metadata-Version: 2.1\nVersion: 1.0\n", ""),
    "no version": ("METADATA", b"Metadata-Version: 2.1\nName: mine\n", ""),
    "an empty file": ("METADATA", b"", ""),
    "bytes in the metadata": ("METADATA", b"Name: \xff\n", "UnicodeDecodeError"),
}


@pytest.mark.parametrize(("file", "text", "error"), CORRUPT.values(), ids=CORRUPT)
def test_corrupt_metadata_is_an_error_of_its_distribution(tmp_path: Path, file: str, text: bytes, error: str) -> None:
    install(tmp_path, "good-1.0.dist-info")
    (install(tmp_path, "my_plugin-1.0.dist-info") / "my_plugin-1.0.dist-info" / file).write_bytes(text)
    entries = {entry.distribution: entry for entry in discover([str(tmp_path)])}
    assert (entries["good"].module, entries["good"].error) == ("my_package", None)
    assert error in repr(entries["my-plugin"].error)
    assert entries["my-plugin"].error is not None


def test_metadata_that_is_missing_is_an_error_of_its_distribution(tmp_path: Path) -> None:
    (install(tmp_path, "my_plugin-1.0.dist-info") / "my_plugin-1.0.dist-info" / "METADATA").unlink()
    (entry,) = discover([str(tmp_path)])
    assert entry.distribution == "my-plugin"
    assert entry.error is not None


def test_a_corrupt_table_of_another_group_is_nobody_s_error(tmp_path: Path) -> None:
    folder = install(tmp_path, "other-1.0.dist-info", None)
    (folder / "other-1.0.dist-info" / "entry_points.txt").write_bytes(b"[console_scripts]\n\xff\n")
    assert discover([str(folder)]) == []


def test_the_folder_that_an_interrupted_pip_leaves_behind_is_no_distribution(tmp_path: Path) -> None:
    install(tmp_path, "~ine-1.0.dist-info")
    install(tmp_path, "mine-2.0.dist-info")
    assert [(entry.distribution, entry.version) for entry in discover([str(tmp_path)])] == [("mine", "2.0")]


def test_the_name_of_a_distribution_has_one_normalized_form() -> None:
    assert canonical("NST__Torch.x") == "nst-torch-x"
