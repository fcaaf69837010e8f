"""The tutorial is true: its plugins are written as it says, pass, paint, fail as it says, and can be published."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import NamedTuple, get_args, get_type_hints

import pytest

from nst import protocols
from nst.cli.app import run
from nst.engine import descent
from nst.images import save_image
from nst.plugins import host, loading, validation
from nst.plugins.discovery import EntryPoint
from nst.plugins.scaffold import KINDS, Draft, create, render
from nst.testing import InitializerSuite

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "plugins.md").read_text("utf-8")


class Block(NamedTuple):
    """A block of code on the page."""

    language: str
    title: str
    body: str


FENCED = re.compile(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
BLOCKS = [Block(*match) for match in FENCED.findall(PAGE)]
COMMANDS = [line for block in BLOCKS if block.language == "bash" for line in block.body.splitlines()]
DRAFTS = dict(re.findall(r"^nst plugins new (\S+) --kind (\S+)", "\n".join(COMMANDS), re.MULTILINE))
FILES = {block.title: block.body for block in BLOCKS if block.title.startswith("src/")}

GIVEN = ("python3 -m venv", ". .venv", "pip install nst", "pip install 'nst[")
"""Commands for what a stranger has here: an environment with nst."""

SMALL = ["--size", "32", "--levels", "1", "--steps", "2"]
OTHERS = {
    "--backend": "example-backend --style-layers relu1_1,relu2_1,relu3_1 --content-layers relu3_1",
    "--optimizer": "example-optimizer",
    "--init": "example-initializer",
}
"""What a picture needs beside a plugin, from nst-example: no framework."""


def shown(title: str) -> str:
    (body,) = (block.body for block in BLOCKS if block.title == title)
    return body


def home(file: str) -> str:
    """The folder of the distribution that a file of the page is in."""
    return file.split("/")[1].replace("_", "-")


def install(folder: Path) -> EntryPoint:
    """Beside the package, what `pip install -e` leaves of a distribution; its entry point."""
    project = tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"]
    ((name, module),) = project["entry-points"]["nst.v1"].items()
    info = folder / "src" / f"{module}-{project['version']}.dist-info"
    info.mkdir()
    fields = {"Name": project["name"], "Version": project["version"], "License-Expression": project["license"]}
    lines = [f"{field}: {value}\n" for field, value in fields.items()]
    lines += [f"Requires-Dist: {requirement}\n" for requirement in project["dependencies"]]
    (info / "METADATA").write_text("".join(lines) + "\n" + (folder / "README.md").read_text("utf-8"))
    (info / "entry_points.txt").write_text(f"[nst.v1]\n{name} = {module}\n")
    return EntryPoint("nst.v1", name, module, project["name"], project["version"])


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> Path:
    """A folder with every plugin of the page, made by its commands and of its files, each installed."""
    folder = tmp_path_factory.mktemp("written")
    for name, kind in DRAFTS.items():
        create(Draft(name, kind, folder, author="Ada <ada@example.org>"), host.Plugins([]))
    for file, body in FILES.items():
        (folder / home(file) / file).write_text(body, "utf-8")
    entries = {name: install(folder / name) for name in DRAFTS}
    with pytest.MonkeyPatch.context() as patch:
        for name in DRAFTS:
            patch.syspath_prepend(folder / name / "src")
        own = [EntryPoint("nst.v1", "nst", "nst.builtin_plugins", "nst", "0.1.0")]
        own += [EntryPoint("nst.v1", "ex", "nst_example", "nst-example", "0.1.0")]
        patch.setattr("nst.plugins.host.discover", lambda: [*own, *entries.values()])
        yield folder
    packages = {each.module for each in entries.values()}
    for module in [name for name in sys.modules if name.partition(".")[0] in packages]:
        del sys.modules[module]


@pytest.fixture(params=DRAFTS)
def name(request) -> str:
    return request.param


def test_there_is_one_example_of_each_kind():
    assert sorted(DRAFTS.values()) == sorted(KINDS)
    assert {home(file) for file in FILES} == set(DRAFTS)


class Counter:
    """How many tests passed, and which did not."""

    def __init__(self):
        self.passed, self.failed = 0, []

    def pytest_runtest_logreport(self, report):
        self.passed += report.passed and report.when == "call"
        self.failed += [report.nodeid] * report.failed


def test_each_passes_the_tests_that_it_came_with(written, name):
    counter = Counter()
    options = [f"--rootdir={written}", "--import-mode=importlib", "-p", "no:cacheprovider", "-q", "--no-summary"]
    assert pytest.main([str(written / name / "tests"), *options, "-W", "error"], plugins=[counter]) == 0, counter.failed
    assert counter.passed > 18, counter.failed


def test_ruff_finds_nothing(written, name):
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], cwd=written / name, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("nst stylize")])
def test_each_paints(written, photo, tmp_path, monkeypatch, command):
    """By the commands of the page, as small as can be, with nothing else that needs a framework."""
    save_image(tmp_path / "content.jpg", photo(24, 32))
    save_image(tmp_path / "style.jpg", photo(32, 32, seed=1))
    monkeypatch.chdir(tmp_path)
    words = shlex.split(command)[1:]
    if "nst-duotone" not in words:
        words += SMALL
        words += [word for flag, value in OTHERS.items() if flag not in words for word in (flag, *value.split())]
    assert run([*words, "--quiet"]) == 0
    assert (tmp_path / words[words.index("-o") + 1]).is_file()


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("nst batch")])
def test_each_paints_a_folder(written, photo, tmp_path, monkeypatch, command):
    for name in ("content.jpg", "style.jpg"):
        save_image(tmp_path / name, photo(24, 32))
    monkeypatch.chdir(tmp_path)
    assert run([*shlex.split(command)[1:], "--backend", "example-image-backend", "--size", "32", "--quiet"]) == 0
    assert (tmp_path / "out" / "content--style.png").is_file()


def test_every_example_is_painted_with():
    painted = " ".join(command for command in COMMANDS if command.startswith(("nst stylize", "nst batch")))
    assert [name for name in DRAFTS if name not in painted] == []


def test_show_and_check_say_what_the_page_says(written, capfd):
    assert run(["plugins", "show", "nst-mosaic"]) == 0
    assert "side = 8 px (a whole number, 1 to 64)\n      width of a square\n" in capfd.readouterr().out
    assert run(["plugins", "check", "nst-mosaic"]) == 0
    assert capfd.readouterr().out.startswith(shown("what nst says"))


def test_a_new_plugin_has_the_files_that_the_page_lists():
    (tree,) = (block.body for block in BLOCKS if "pyproject.toml  " in block.body)
    assert {line.split()[0] for line in tree.splitlines()} == set(render(Draft("nst-mosaic", DRAFTS["nst-mosaic"])))


def test_its_entry_point_is_the_one_on_the_page(written):
    assert shown("pyproject.toml") in (written / "nst-mosaic" / "pyproject.toml").read_text("utf-8")


def conformance(folder: Path) -> subprocess.CompletedProcess[str]:
    """The initializer's conformance tests, in a process of their own, as a person sees them."""
    elsewhere = [place for place in sys.path if not place.endswith(f"{folder.name}/src")]
    program = f"import sys; sys.path[:] = {[str(folder / 'src'), *elsewhere]}; import pytest; sys.exit(pytest.main())"
    words = [sys.executable, "-c", program, "-k", "TestInitializer", "-rfx", "-p", "no:cacheprovider"]
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, env=os.environ | {"COLUMNS": "200"})


def test_the_mistake_fails_as_the_page_says_and_an_expected_failure_does_not_outlive_it(written, tmp_path):
    folder = shutil.copytree(written / "nst-mosaic", tmp_path / "nst-mosaic")
    source = folder / "src" / "nst_mosaic" / "initializer.py"
    right = source.read_text("utf-8")
    source.write_text(right.replace(right.splitlines(keepends=True)[-1], shown("a mistake")))
    wrong = conformance(folder)
    assert wrong.returncode == 1
    for line in shown("what pytest says").splitlines():
        assert line in wrong.stdout
    (folder / "tests" / "test_conformance.py").write_text(shown("tests/test_conformance.py"))
    expected = conformance(folder)
    promise = "test_gives_pixels_of_the_content_s_size"
    assert f"XFAIL tests/test_conformance.py::TestInitializer::{promise}" in expected.stdout
    assert f"FAILED tests/test_conformance.py::TestInitializer::{promise}" not in expected.stdout
    source.write_text(right)
    outlived = conformance(folder)
    assert f"FAILED tests/test_conformance.py::TestInitializer::{promise}" in outlived.stdout


def test_a_suite_has_the_docstring_that_the_page_quotes():
    name, quoted = re.search(r'def (\w+)\(\n +"""(.*)"""', shown("nst.testing.InitializerSuite")).groups()
    assert getattr(InitializerSuite, name).__doc__ == quoted


def test_the_spec_with_weights_is_one(tmp_path, monkeypatch):
    hook = "from nst import hookimpl\n@hookimpl\ndef nst_backends():\n    yield BACKEND\n"
    (tmp_path / "spec_with_weights.py").write_text(shown("a spec with weights") + hook)
    monkeypatch.syspath_prepend(tmp_path)
    entries = [EntryPoint("nst.v1", "x", "spec_with_weights", "x", "1")]
    (spec,) = host.Plugins(entries, strict=True).installed[0].specs["backend"]
    assert [weights.name for weights in spec.weights] == ["imagenet", "compact"]


def test_the_protocols_that_the_page_names_are_there():
    named = re.findall(r"`nst\.protocols\.(\w+)`", PAGE)
    assert set(named) >= {"FeatureBackend", "ImageBackend", "Initializer", "Optimizer", "StatisticLoss", "WeightSource"}
    assert [name for name in named if not hasattr(protocols, name)] == []


def test_the_figures_on_what_the_host_bears_are_the_code_s():
    for told in (
        f"more than {loading.PATIENCE:g} seconds",
        f"or more than {validation.MOST}",
        "half a second" if host.SLOW == 0.5 else "",
        "after ten times" if descent.MAX_RESCUES == 10 else "",
    ):
        assert told
        assert told in PAGE


def test_the_states_of_a_plugin_are_those_of_the_host():
    status = get_type_hints(host.Plugin)["status"]
    told = set(re.findall(r"\*([a-z-]+)\*", PAGE[PAGE.index("## Faulty plugins") :]))
    assert told == set(get_args(status)) - {"disabled"}


def test_every_command_is_tried():
    """Those of the walk below, of `test_each_paints`, and those for what a stranger has here."""
    tried = (
        "nst plugins ",
        "nst stylize ",
        "nst batch ",
        "cd ",
        "pip install ",
        "pytest",
        "python -m build",
        "twine check ",
    )
    assert [command for command in COMMANDS if not command.startswith((*tried, *GIVEN))] == []


@pytest.mark.slow
def test_a_stranger_gets_from_nothing_to_a_wheel(stranger):
    """The page from top to bottom, in one shell: its commands as they are, its files where they belong."""
    lines = ["set -e", "mkdir walk", "cd walk", 'start="$PWD"']
    for block in BLOCKS:
        if block.language == "bash":
            skipped = (*GIVEN, "nst stylize", "nst batch")
            lines += [line for line in block.body.splitlines() if not line.startswith(skipped)]
        elif block.title in FILES:
            lines += [f"cat > \"$start/{home(block.title)}/{block.title}\" <<'END'", block.body + "END"]
    done = stranger.try_to("bash", "-c", "\n".join(lines))
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert done.stdout.count(" passed") == 2
    assert done.stdout.count("PASSED") == 2  # twine's word on either file
    (wheel,) = (stranger.home / "walk" / "nst-mosaic" / "dist").glob("*.whl")
    assert wheel.name == "nst_mosaic-0.1.0-py3-none-any.whl"
