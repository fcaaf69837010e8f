"""Discovery finds what importlib.metadata finds, in the groups `nst.v<N>`, and stumbles over nothing."""

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
    project, version, *_ = name.rpartition(".")[0].split("-")
    metadata = f"Metadata-Version: 2.1\nName: {project}\nVersion: {version}\n"
    (folder / name / ("METADATA" if name.endswith(".dist-info") else "PKG-INFO")).write_text(metadata)
    if table is not None:
        (folder / name / "entry_points.txt").write_text(table, "utf-8")
    return folder


def rows(entries: Iterable[EntryPoint]) -> set[tuple[str, ...]]:
    return {(each.group, each.name, each.module, each.distribution, each.version) for each in entries}


def pythons_rows() -> set[tuple[str, ...]]:
    """What Python itself finds on `sys.path`."""
    table = importlib.metadata.entry_points()
    groups = [group for group in table.groups if group.startswith("nst.v")]
    found = [each for group in groups for each in importlib.metadata.entry_points(group=group)]
    return {(each.group, each.name, each.value, canonical(each.dist.name), each.dist.version) for each in found}


def test_agrees_with_python_on_what_is_installed() -> None:
    assert rows(discover()) == pythons_rows()
    assert "nst.builtin_plugins" in {each.module for each in discover()}


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
    assert "1.0" not in {each.version for each in discover()}


@settings(max_examples=80)
@given(lines=st.lists(st.sampled_from(LINES)), end=st.sampled_from(["\n", "\r\n"]))
def test_agrees_with_python_on_any_table(tmp_path_factory: pytest.TempPathFactory, lines: list[str], end: str) -> None:
    folder = install(tmp_path_factory.mktemp("site"), "mine-1.0.dist-info", None)
    (folder / "mine-1.0.dist-info" / "entry_points.txt").write_bytes(end.join(lines).encode())
    distribution = importlib.metadata.Distribution.at(folder / "mine-1.0.dist-info")
    expected = {(each.group, each.name, each.value) for each in distribution.entry_points if each.group[:5] == "nst.v"}
    assert {(each.group, each.name, each.module) for each in discover([str(folder)])} == expected


def test_every_distribution_of_every_folder_is_found(tmp_path: Path) -> None:
    install(tmp_path / "a", "one-1.0.dist-info")
    install(tmp_path / "a", "two-1.0.dist-info", "[nst.v1]\nfirst = x\nsecond = y\n[nst.v2]\nthird = z\n")
    install(tmp_path / "b", "three-3.1.egg-info")
    found = discover([str(tmp_path / "a"), str(tmp_path / "b")])
    assert [(each.distribution, each.module) for each in found] == [
        ("one", "my_package"),
        ("two", "x"),
        ("two", "y"),
        ("two", "z"),
        ("three", "my_package"),
    ]


def test_two_versions_in_one_folder_are_one(tmp_path: Path) -> None:
    install(tmp_path, "mine-1.0.dist-info")
    assert len(discover([str(install(tmp_path, "mine-2.0.dist-info"))])) == 1


def test_a_line_written_twice_counts_once(tmp_path: Path) -> None:
    assert len(discover([str(install(tmp_path, "mine-1.0.dist-info", TABLE + TABLE))])) == 1


def test_a_folder_named_by_the_empty_string_is_the_current_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(install(tmp_path, "mine-1.0.dist-info"))
    assert len(discover([""])) == 1


def test_what_cannot_be_read_hides_nothing_else(tmp_path: Path) -> None:
    install(tmp_path, "good-1.0.dist-info")
    (tmp_path / "file-1.0.egg-info").write_text("Name: file")
    (install(tmp_path, "folder-1.0.dist-info", None) / "folder-1.0.dist-info" / "entry_points.txt").mkdir()
    (install(tmp_path, "dangling-1.0.dist-info", None) / "dangling-1.0.dist-info" / "entry_points.txt").symlink_to("no")
    install(tmp_path, "nonsense-1.0.dist-info", "[nst.v1]\nno equals sign\n= = =\n")
    missing, file = tmp_path / "missing", tmp_path / "file-1.0.egg-info"
    found = discover([str(missing), str(file), str(tmp_path)])
    assert {each.distribution for each in found if each.module == "my_package"} == {"good"}


def test_bytes_that_are_no_text_spoil_only_their_line(tmp_path: Path) -> None:
    folder = install(tmp_path, "mine-1.0.dist-info", None)
    (folder / "mine-1.0.dist-info" / "entry_points.txt").write_bytes(b"# \xff\n[nst.v1]\nmine = my_package\n")
    assert [each.module for each in discover([str(folder)])] == ["my_package"]


def test_what_an_interrupted_pip_leaves_behind_is_no_distribution(tmp_path: Path) -> None:
    for name in ("mine-2.0.dist-info", "~ine-1.0.dist-info", ".dist-info"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "entry_points.txt").write_text(TABLE)
    assert [(each.distribution, each.version) for each in discover([str(tmp_path)])] == [("mine", "2.0")]


def test_a_path_that_names_no_folder_hides_nothing_else(tmp_path: Path) -> None:
    assert len(discover(["nul\0", str(install(tmp_path, "mine-1.0.dist-info"))])) == 1
