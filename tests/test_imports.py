"""Imports stay light, and run in one direction: what each command pays for, and who may know whom."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
FRAMEWORKS = {"torch", "torchvision", "tensorflow", "keras", "jax", "mlx"}
HEAVY = FRAMEWORKS | {"numpy", "typer", "click", "rich", "PIL", "scipy", "safetensors", "array_api_compat", "gradio"}
MODULES = {
    ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): path
    for path in sorted((ROOT / "nst").rglob("*.py"))
}
PLUGINS = {path.parent.name: path.parent for path in sorted(ROOT.glob("plugins/*/src/*/__init__.py"))}

COMMAND = """
import json, os, sys
os._exit = sys.exit  # the front door leaves at once, and these tests look back
sys.argv = ["nst", *json.loads(sys.argv[1])]
from nst.cli import main
try:
    main()
finally:
    print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""
EACH = """
import importlib, json, sys
news = {}
for name in json.loads(sys.argv[1]):
    before = set(sys.modules)
    importlib.import_module(name)
    news[name] = sorted(set(sys.modules) - before)
print(json.dumps(news), file=sys.stderr)
"""


def run(program: str, words: list[str]) -> tuple[str, Any]:
    """What a program prints on stdout, and the JSON it prints on stderr, with every plugin of ours on the path."""
    path = os.pathsep.join([str(ROOT), *(str(folder.parent) for folder in PLUGINS.values())])
    environment = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    done = subprocess.run(
        [sys.executable, "-c", program, json.dumps(words)],
        env=environment | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads(done.stderr)


def news(modules: list[str]) -> dict[str, list[str]]:
    """What importing each module in turn brings in."""
    found: dict[str, list[str]] = run(EACH, modules)[1]
    return found


def packages(modules: Iterable[str]) -> set[str]:
    return {name.partition(".")[0] for name in modules}


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("", "Usage: nst"),
        ("--help", "Usage: nst"),
        ("-h", "Usage: nst"),
        ("--version", "nst 0"),
        ("plugins list", "total-variation"),
        ("plugins list --json", '"total-variation"'),
    ],
)
def test_a_light_command_imports_nothing_heavy(command: str, says: str) -> None:
    stdout, modules = run(COMMAND, command.split())
    assert says in stdout
    assert packages(modules) & HEAVY == set()


@pytest.mark.parametrize("command", ["", "--help", "--version"])
def test_help_and_version_do_not_look_for_plugins(command: str) -> None:
    assert "nst.plugins.discovery" not in run(COMMAND, command.split())[1]


def test_the_plugin_list_as_json_is_data() -> None:
    rows = json.loads(run(COMMAND, ["plugins", "list", "--json"])[0])
    (own,) = [row for row in rows if row["distribution"] == "nst"]
    assert own["offers"]["loss"][:3] == ["gram", "wasserstein", "mean-std"]
    assert (own["status"], own["module"], own["reason"]) == ("ok", "nst.builtin_plugins", "")


def test_nst_itself_imports_next_to_nothing() -> None:
    assert set(news(["typing", "nst"])["nst"]) == {"__future__", "nst"}


def test_every_public_name_is_there() -> None:
    program = "import nst, sys; [getattr(nst, name) for name in nst.__all__]; print('null', file=sys.stderr)"
    assert run(program, []) == ("", None)


def test_an_entry_module_imports_nothing_heavy() -> None:
    heavy = {name: packages(found) & HEAVY for name, found in news(["nst.builtin_plugins", *PLUGINS]).items()}
    assert heavy == {name: set() for name in heavy}


def test_no_module_of_nst_imports_a_framework() -> None:
    modules = [name for name, path in MODULES.items() if name != "nst.__main__" and not reaches(path, "gradio")]
    frameworks = {name: packages(found) & FRAMEWORKS for name, found in news(modules).items()}
    assert frameworks == {name: set() for name in modules}


def imported(path: Path) -> Iterator[str]:
    """Every module a file imports, wherever it does so, and for type checkers too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively"
            whole = ((f"{node.module}.{alias.name}", str(node.module)) for alias in node.names)
            yield from (inner if inner in MODULES else module for inner, module in whole)


def reaches(path: Path, *forbidden: str) -> set[str]:
    """What a file imports of the `forbidden` modules or from inside them."""
    return {name for name in imported(path) if f"{name}.".startswith(tuple(f"{each}." for each in forbidden))}


@pytest.mark.parametrize(
    ("module", "allowed"),
    [
        ("errors", ""),
        ("architectures", ""),
        ("entry_points", ""),
        ("specs", ""),
        ("preprocessing", ""),
        ("atomic", ""),
        ("weight_sets", "nst.specs"),
        ("hookspecs", "nst.specs pluggy"),
        ("plugin_answers", "nst.errors nst.hookspecs nst.specs pluggy"),
        ("plugin_guard", "nst.errors nst.plugins.validation pluggy"),
        (
            "plugins",
            "nst.plugins.discovery nst.errors nst.hookspecs nst.plugins.validation nst.plugins.loading nst.specs",
        ),
        ("layers", "nst.vgg.architecture nst.errors"),
        ("values", "nst.errors nst.vgg.layers nst.specs"),
        ("options", "nst.errors nst.specs"),
        ("tiles", "nst.vgg.architecture"),
        ("recipe", "nst.errors nst.vgg.layers nst.specs nst.recipe.fields"),
        ("schedule", "nst.vgg.architecture nst.recipe"),
        ("orders", ""),
        ("protocols", "nst.orders numpy numpy.typing"),
        ("scaffold", "nst.io.atomic nst.plugins.discovery nst.errors nst.plugins"),
    ],
)
def test_the_foundation_knows_only_what_is_below_it(module: str, allowed: str) -> None:
    found = set(imported(MODULES[f"nst.{module}"]))
    assert {name for name in found if name.partition(".")[0] not in sys.stdlib_module_names} <= set(allowed.split())


@pytest.mark.parametrize(
    "module",
    [
        "nst.engine",
        "nst.engine.problem",
        "nst.engine.objective",
        "nst.images.color_transfer",
        *(name for name in MODULES if name.startswith("nst.images")),
    ],
)
def test_the_engine_receives_objects_never_names(module: str) -> None:
    assert reaches(MODULES[module], "nst.plugins", "nst.specs", "nst.recipe", "nst.weights") == set()


def test_only_the_page_knows_what_it_is_served_with() -> None:
    parts = {name for name, path in MODULES.items() if reaches(path, "gradio")}
    assert {name.rpartition(".")[0] for name in parts} == {"nst.ui"}
    assert {name for name in MODULES if reaches(MODULES[name], *parts)} <= {*parts, "nst.cli.ui"}


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith(("nst.cli", "nst.__main__"))])
def test_nothing_but_the_command_line_knows_the_command_line(module: str) -> None:
    assert reaches(MODULES[module], "nst.cli") == set()


@pytest.mark.parametrize("package", PLUGINS)
def test_a_plugin_knows_neither_the_engine_nor_the_others(package: str) -> None:
    others = PLUGINS.keys() - {package}
    for path in PLUGINS[package].rglob("*.py"):
        assert reaches(path, "nst.cli", "nst.engine", "nst.engine.problem", "nst.job", *others) == set(), path
