"""Imports stay light, and run in one direction: what each command pays for, and who may know whom."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from graphlib import TopologicalSorter
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
    assert set(news(["typing", "nst"])["nst"]) == {"__future__", "nst", "nst.lazy"}


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


API = {"errors", "geometry", "specs", "hookspecs", "protocols", "orders", "lazy"}
"""What every package may import: the plugin API, and `lazy`."""

TABLE = {
    "io": "",
    "vgg": "io",
    "images": "io",
    "losses": "",
    "plugins": "io",
    "weights": "vgg io",
    "recipe": "vgg",
    "engine": "vgg images",
    "estimate": "engine vgg",
    "reports": "images recipe",
    "job": "engine estimate images plugins recipe weights vgg",
    "persistence": "job engine images io recipe weights plugins",
    "batches": "job reports recipe plugins io images",
    "worker": "persistence job estimate engine images io recipe weights plugins vgg",
    "executors": "worker",
    "compare": "worker persistence job reports estimate engine losses images io recipe weights plugins vgg",
}
"""What each package may import of nst beside `API`; the same table stands in ARCHITECTURE.md."""

ABOVE = {"cli", "ui", "testing", "builtin_plugins", "devices"}  # may import whatever is below


def package_of(module: str) -> str:
    return module.split(".")[1] if "." in module else ""


@pytest.mark.parametrize("package", TABLE)
def test_a_package_imports_only_what_the_table_allows(package: str) -> None:
    allowed = {package, "", *API, *TABLE[package].split()}
    for module, path in MODULES.items():
        if package_of(module) == package:
            strangers = {name for name in imported(path) if name.split(".")[0] == "nst"}
            assert {name for name in strangers if package_of(name) not in allowed} == set(), module


def test_the_table_names_every_package_and_has_no_circle() -> None:
    packages = {package_of(name) for name, path in MODULES.items() if path.parent != ROOT / "nst"}
    assert packages - ABOVE == TABLE.keys()
    TopologicalSorter({name: allowed.split() for name, allowed in TABLE.items()}).prepare()


def test_the_table_stands_in_the_architecture() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    rows = dict(re.findall(r"^\| `(\w+)/` \|[^|]*\| ([^|]*) \|$", text, flags=re.MULTILINE))
    assert {name: set(rows.get(name, "no row").split()) - {"–"} for name in TABLE} == {
        name: set(allowed.split()) for name, allowed in TABLE.items()
    }


def test_the_plugin_api_imports_nothing_but_itself() -> None:
    for name in API:
        strangers = {module for module in imported(MODULES[f"nst.{name}"]) if module.startswith("nst.")}
        assert {package_of(module) for module in strangers} <= API, name


def definitions() -> Iterator[tuple[str, str, str]]:
    """Kind, name and module of every class and public function at the top of a module of nst."""
    for module, path in MODULES.items():
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef):
                yield "class", node.name, module
            elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
                yield "function", node.name, module


def test_no_class_name_stands_twice() -> None:
    homes: dict[str, list[str]] = {}
    for kind, name, module in definitions():
        if kind == "class":
            homes.setdefault(name, []).append(module)
    assert {name: modules for name, modules in homes.items() if len(modules) > 1} == {}


def test_a_function_name_that_stands_twice_is_called_through_its_module() -> None:
    """`checkpoint.read` and `provenance.read` say what is read; hooks and `main` have the names they must have."""
    homes: dict[str, set[str]] = {}
    for kind, name, module in definitions():
        if kind == "function" and not name.startswith("nst_") and name != "main":
            homes.setdefault(name, set()).add(module)
    twice = {f"{module}.{name}" for name, modules in homes.items() if len(modules) > 1 for module in modules}
    by_name = {
        module: sorted(
            f"{node.module}.{alias.name}"
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.ImportFrom)
            for alias in node.names
            if f"{node.module}.{alias.name}" in twice
        )
        for module, path in MODULES.items()
    }
    lists = {module for module, path in MODULES.items() if path.name == "__init__.py"}  # of a package's public names
    assert {module: names for module, names in by_name.items() if names and module not in lists} == {}


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
        assert reaches(path, "nst.cli", "nst.engine", "nst.job", *others) == set(), path
