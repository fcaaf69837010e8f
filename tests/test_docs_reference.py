"""The reference names everything there is to choose from, and nothing else; the site is built without a warning."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib import import_module
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import pytest
from typer.main import get_command

import nst
from nst import hookspecs, protocols, specs, testing
from nst.cli.app import app
from nst.cli.commands import COMMANDS
from nst.plugins.describe import describe
from nst.plugins.host import KINDS
from nst.recipe.recipe import FIELDS, flag

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "docs" / "reference"
PLURALS = {"backend": "backends", "optimizer": "optimizers", "initializer": "initializers", "loss": "losses"} | {
    "executor": "executors"
}


@pytest.fixture(scope="module")
def maker():
    """docs/pages.py, as MkDocs has it."""
    spec = spec_from_file_location("pages", ROOT / "docs" / "pages.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def made(maker):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "path", [*sys.path])
        return maker.pages()


def headings(page, level):
    return re.findall(rf"^{'#' * level} (.*)$", page, re.MULTILINE)


def rows(page):
    """The first cell of each row of each table, without its head."""
    return re.findall(r"^\| `([^`]*)` \|", page, re.MULTILINE)


def sections(page):
    return dict(re.findall(r"^## (.*?)\n(.*?)(?=^## |\Z)", page, re.DOTALL | re.MULTILINE))


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_names_everything_that_nst_and_its_plugins_offer_of_a_kind(maker, made, kind):
    page = made[f"reference/{PLURALS[kind]}.md"]
    offered = {spec.name: (plugin, spec) for plugin, spec in maker.own_plugins().offered(kind)}
    assert headings(page, 2) == list(offered)
    for name, section in sections(page).items():
        plugin, spec = offered[name]
        assert rows(section) == [option.name for option in spec.options]
        assert spec.summary in section
        assert plugin.distribution in section


@pytest.mark.parametrize("kind", KINDS)
def test_a_page_says_what_nst_plugins_show_says(maker, made, kind):
    for plugin, spec in maker.own_plugins().offered(kind):
        section = sections(made[f"reference/{PLURALS[kind]}.md"])[spec.name]
        told = describe(plugin, kind, spec)
        facts = [*told.facts.items(), *(fact for weights in told.weights for fact in weights.facts.items())]
        assert [f"- *{label}*: {text}" for label, text in facts if f"- *{label}*: {text}\n" not in section + "\n"] == []
        for option in told.options:
            assert f"| `{option.name}` | `{option.default}` | {option.allowed} | {option.help} |" in section


def test_all_distributions_of_this_project_are_in_it(maker):
    folders = {path.parent.name for path in ROOT.glob("plugins/*/pyproject.toml")}
    assert {plugin.distribution for plugin in maker.own_plugins().installed} == {"nst", *folders}


def test_the_recipe_page_names_every_field_with_its_option(made):
    page = made["reference/recipe.md"]
    assert rows(page) == list(FIELDS)
    assert [name for name in FIELDS if f"| `{name}` | `{flag(name)} " not in page] == []


def test_the_commands_page_names_every_command_and_its_options(made):
    page = made["reference/commands.md"]
    assert headings(page, 2) == [f"nst {words}" for words in COMMANDS]
    for words, section in zip(COMMANDS, sections(page).values(), strict=True):
        command = get_command(app)
        for word in words.split():
            command = command.commands[word]
        options = {name for each in command.params if each.param_type_name == "option" for name in each.opts}
        told = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(rows(section))))
        recipe = {flag(name) for name in FIELDS} | {"--optimiser", "--optimiser-option"}
        assert told == options - {"--help", "-h"} - (recipe if "recipe field" in section else set())


def identifiers(page):
    return re.findall(r"^::: (\S+)$", (REFERENCE / page).read_text("utf-8"), re.MULTILINE)


def test_the_plugin_api_names_every_hook_spec_and_protocol():
    hooks = {f"nst.hookspecs.{name}" for name in vars(hookspecs) if name.startswith("nst_")}
    declared = {_public(value) for value in vars(specs).values() if getattr(value, "__module__", "") == specs.__name__}
    promised = {_public(value) for value in vars(protocols).values() if getattr(value, "_is_protocol", False)}
    data = {"nst.Pixels", "nst.Evaluation", "nst.Iterate", "nst.Layer", "nst.Window", "nst.chain"}
    data |= {f"nst.protocols.{name}" for name in ("Array", "Tensor", "State", "Objective")}
    every = {"nst.hookimpl", *hooks, *declared, *promised, *data} - {"nst.specs.resolve", "nst.protocols.Protocol"}
    assert set(identifiers("plugin-api.md")) == every - {"typing.Protocol"}


def _public(value):
    """The shortest name of a thing: `nst.LossSpec` where nst itself has it."""
    name = value.__name__
    return f"nst.{name}" if name in nst.__all__ else f"{value.__module__}.{name}"


def test_the_testing_page_names_every_suite():
    parts = ("suite.Suite", "backends.BackendSuite", "namespaces.NamespaceTests")
    assert set(identifiers("testing.md")) == {f"nst.testing.{name}" for name in (*testing.__all__, *parts)}


def test_every_public_name_is_in_the_reference_once():
    named = [name for page in REFERENCE.glob("*.md") for name in identifiers(page.name)]
    assert len(named) == len(set(named))
    assert {f"nst.{name}" for name in nst.__all__ if name != "__version__"} <= set(named)


@pytest.mark.parametrize("page", sorted(path.name for path in REFERENCE.glob("*.md")))
def test_what_the_reference_names_is_there(page):
    for name in identifiers(page):
        module, _, attribute = name.rpartition(".")
        assert hasattr(import_module(module), attribute), name


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The site as `make docs` builds it; skips where MkDocs is not installed (`make docs` installs it)."""
    if not (find_spec("material") and find_spec("mkdocstrings")):
        pytest.skip("MkDocs is not installed: make docs")
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING -" not in done.stderr
    return folder


@pytest.mark.slow
def test_the_site_loads_nothing_from_elsewhere(site):
    loaded = re.compile(r'<(?:link|script|img|iframe)[^>]*?(?:href|src)="(https?:)?//[^"]*"')
    for page in site.rglob("*.html"):
        assert not loaded.search(page.read_text("utf-8")), page
    assert not [page for page in site.rglob("*.css") if re.search(r"url\(\"?https?:", page.read_text("utf-8"))]


@pytest.mark.slow
def test_the_site_has_every_name(site, made):
    for place, page in made.items():
        html = (site / place.removesuffix(".md") / "index.html").read_text("utf-8")
        assert [name for name in headings(page, 2) if f"{name}<a" not in html] == []
    for page in ("python", "plugin-api", "testing"):
        html = (site / "reference" / page / "index.html").read_text("utf-8")
        assert [name for name in identifiers(f"{page}.md") if f'id="{name}"' not in html] == []


@pytest.mark.slow
def test_every_suite_shows_its_promises(site):
    html = (site / "reference" / "testing" / "index.html").read_text("utf-8")
    for name in testing.__all__:
        suite = getattr(testing, name)
        tests = [test for test in vars(suite) if test.startswith("test_")]
        assert tests
        assert [test for test in tests if f'id="nst.testing.{name}.{test}"' not in html] == []
