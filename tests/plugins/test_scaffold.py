"""A new plugin has the files of its kind, under its own name, and works as it is written."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from nst.errors import Mistakes, NstError, UserError
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.plugins.scaffold import KINDS, Draft, create, render, scaffold_errors

LONG = "nst-" + "l" * 60
NOBODY = Plugins([])

names = st.from_regex(r"[A-Za-z][A-Za-z0-9._-]{0,60}[A-Za-z0-9]", fullmatch=True)
kinds = st.sampled_from(KINDS)
authors = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="<>"), min_size=1)


@pytest.fixture(params=KINDS)
def kind(request):
    return request.param


@pytest.fixture
def made(kind, tmp_path):
    """A plugin of each kind, written."""
    draft = Draft(f"nst-made-{kind}", kind, tmp_path)
    create(draft, NOBODY)
    return draft


def files(draft):
    return {path.relative_to(draft.folder).as_posix() for path in draft.folder.rglob("*") if path.is_file()}


def test_it_has_one_source_file_and_all_that_a_distribution_needs(made):
    source = f"src/{made.package}"
    part = made.kind.replace("-", "_")
    assert files(made) == {
        "pyproject.toml",
        "README.md",
        "LICENSE",
        ".github/workflows/test.yml",
        "tests/test_conformance.py",
        f"{source}/__init__.py",
        f"{source}/py.typed",
        f"{source}/{part}.py",
    }


def test_it_offers_one_thing_of_its_kind_under_its_own_name(kind, tmp_path, monkeypatch):
    made = Draft(f"nst-loaded-{kind}", kind, tmp_path)
    create(made, NOBODY)
    monkeypatch.syspath_prepend(made.folder / "src")
    entry = EntryPoint("nst.v1", made.distribution, made.package, made.distribution, "0.1.0")
    (plugin,) = Plugins([entry], strict=True).installed
    ((hook, (spec,)),) = plugin.specs.items()
    assert (hook, spec.name) == (made.kind.removeprefix("image-"), made.distribution)
    assert getattr(spec, "kind", "feature") == ("image" if made.kind == "image-backend" else "feature")
    assert spec.load().__module__.partition(".")[0] == made.package


def test_its_manifest_has_its_name_its_entry_point_and_the_requirements_of_its_code(made):
    project = tomllib.loads((made.folder / "pyproject.toml").read_text())["project"]
    assert project["name"] == made.distribution
    assert project["entry-points"] == {"nst.v1": {made.distribution: made.package}}
    assert made.kind.replace("-", " ") in project["description"]
    needed = {re.split("[^a-z-]", each)[0].replace("-", "_") for each in project["dependencies"]}
    modules = {name.partition(".")[0] for path in (made.folder / "src").rglob("*.py") for name in imported(path)}
    assert needed == modules - {made.package} - sys.stdlib_module_names


def imported(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def test_nothing_of_the_example_and_of_other_kinds_is_left(made):
    others = {kind.upper().replace("-", "_") for kind in KINDS if kind != made.kind}
    for path in files(made):
        text = (made.folder / path).read_text()
        assert "nst-example" not in text, path
        assert "nst_example" not in text, path
        assert "example-" not in text, path
        assert path == "LICENSE" or not set(re.findall(r"\b[A-Z_]+\b", text)) & others, path


def test_its_tests_are_those_of_its_kind(made):
    tree = ast.parse((made.folder / "tests/test_conformance.py").read_text())
    classes = [node.name for node in tree.body if isinstance(node, ast.ClassDef)]
    assert classes == ["TestPlugin", f"Test{made.kind.title().replace('-', '')}"]


@pytest.mark.parametrize("name", ["a1", "nst-pointillism", LONG])
def test_ruff_finds_nothing(kind, name, tmp_path):
    draft = Draft(name, kind, tmp_path)
    create(draft, NOBODY)
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        done = subprocess.run(
            [sys.executable, "-m", "ruff", *command], cwd=draft.folder, capture_output=True, text=True
        )
        assert done.returncode == 0, done.stdout


def test_the_commands_that_try_it_end_with_its_use(made):
    *_, last = create(Draft("nst-other", made.kind, made.into), NOBODY)
    assert last in (made.folder / "README.md").read_text().replace(made.distribution, "nst-other")


def test_the_example_has_the_same_code(kind):
    """`nst-example` is the distribution in which the code of all templates runs in nst's own tests."""
    example, part = Path(__file__).parents[2] / "plugins" / "nst-example", f"{kind.replace('-', '_')}.py"
    files = render(Draft("nst-example", kind))
    assert files[f"src/nst_example/{part}"] == (example / "src" / "nst_example" / part).read_text("utf-8")
    assert files["LICENSE"] == (example / "LICENSE").read_text("utf-8")
    entry = (example / "src" / "nst_example" / "__init__.py").read_text("utf-8")
    spec = files["src/nst_example/__init__.py"].replace('name="nst-example"', f'name="example-{kind}"')
    assert re.search(r"^[A-Z_]+ = .*?^\)$", spec, re.DOTALL | re.MULTILINE)[0] in entry


@given(names, kinds, authors)
def test_whatever_the_name_and_the_author_it_is_well_formed(name, kind, author):
    draft = Draft(name, kind, author=f"{author} <ada@example.org>")
    assume(not scaffold_errors(draft, NOBODY))
    rendered = render(draft)
    project = tomllib.loads(rendered["pyproject.toml"])["project"]
    assert project["name"] == canonicalize_name(name)
    assert project["authors"] == [{"name": author, "email": "ada@example.org"}]
    assert f"Copyright (c) {author}\n" in rendered["LICENSE"]
    for path, text in rendered.items():
        if path.endswith(".py"):
            ast.parse(text)


@pytest.mark.parametrize(
    ("author", "table"),
    [
        ("Ada Lovelace", [{"name": "Ada Lovelace"}]),
        ("<ada@example.org>", [{"email": "ada@example.org"}]),
        ('Ada "\\" L', [{"name": 'Ada "\\" L'}]),
    ],
)
def test_an_author_is_a_name_an_address_or_both(author, table):
    assert tomllib.loads(render(Draft("mine", "loss", author=author))["pyproject.toml"])["project"]["authors"] == table


def test_without_an_author_it_is_its_authors():
    rendered = render(Draft("mine", "loss"))
    assert "authors" not in tomllib.loads(rendered["pyproject.toml"])["project"]
    assert "Copyright (c) the authors of mine\n" in rendered["LICENSE"]


def test_a_name_has_one_spelling(tmp_path):
    create(Draft("My_Own.Thing", "loss", tmp_path), NOBODY)
    assert (tmp_path / "my-own-thing" / "src" / "my_own_thing").is_dir()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("", "cannot be the name of a distribution"),
        ("-x", "cannot be the name of a distribution"),
        ("a b", "cannot be the name of a distribution"),
        ("größe", "cannot be the name of a distribution"),
        ("\u212aelvin", "cannot be the name of a distribution"),
        ("../up", "cannot be the name of a distribution"),
        ("x\n", "cannot be the name of a distribution"),
        ("x" * 65, "cannot be the name of a distribution"),
        ("3d", "'3d' is not a name in Python"),
        ("class", "'class' is not a name in Python"),
        ("json", "hide Python's own module 'json'"),
        ("Pillow", "is installed already"),
        ("pluggy", "is installed already"),
    ],
)
def test_a_name_that_cannot_be(name, message, tmp_path):
    (tmp_path / "something").touch()
    mistakes = scaffold_errors(Draft(name, "loss", tmp_path), NOBODY)
    assert [message in mistake.message and bool(mistake.hint) for mistake in mistakes] == [True]


@pytest.mark.parametrize("name", ["autograd", "array-api-compat", "pytest", "ruff", "nst-torch", "NST_Ray"])
def test_a_name_that_nst_or_the_template_needs_even_where_it_is_not_installed(name, tmp_path, monkeypatch):
    def nowhere(distribution):
        raise PackageNotFoundError(distribution)

    monkeypatch.setattr("nst.plugins.scaffold.version", nowhere)
    monkeypatch.setattr("nst.plugins.scaffold.find_spec", lambda module: None)
    (mistake,) = scaffold_errors(Draft(name, "loss", tmp_path), NOBODY)
    assert mistake.message == f"'{canonicalize_name(name)}' is a distribution that nst or its plugins need"


def test_a_name_of_a_backend_of_ours_that_is_not_installed(tmp_path):
    (mistake,) = scaffold_errors(Draft("torch-vgg19", "backend", tmp_path), NOBODY)
    assert mistake.message == "nst-torch offers the backend 'torch-vgg19' already"


def test_a_name_whose_module_comes_from_another_distribution(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "somebodys.py").touch()
    (mistake,) = scaffold_errors(Draft("somebodys", "loss", tmp_path), NOBODY)
    assert mistake.message == "'somebodys' would hide the module 'somebodys', which is installed"


def test_a_name_that_another_plugin_gives_to_the_same_kind(plugins, tmp_path):
    (mistake,) = scaffold_errors(Draft("adam", "optimizer", tmp_path), plugins)
    assert mistake.message == "nst-optimizers offers the optimizer 'adam' already"
    assert scaffold_errors(Draft("adam", "loss", tmp_path), plugins) == []
    (mistake,) = scaffold_errors(Draft("torch-vgg19", "image-backend", tmp_path), plugins)
    assert "nst-torch offers the backend" in mistake.message


def test_all_mistakes_are_told_together(tmp_path):
    with pytest.raises(Mistakes) as caught:
        create(Draft("json", "optimiser", tmp_path / "none", "Ada <"), NOBODY)
    messages = [error.message for error in caught.value.errors]
    assert len(messages) == 4
    assert "unknown kind 'optimiser'" in messages
    assert "did you mean optimizer" in caught.value.errors[1].hint


@pytest.mark.parametrize("content", ["file", "folder", "link"])
def test_what_is_there_is_left_alone(tmp_path, content):
    folder = tmp_path / "mine"
    if content == "file":
        folder.write_text("precious")
    elif content == "folder":
        folder.mkdir()
        (folder / "precious").touch()
    else:
        folder.symlink_to(tmp_path / "nowhere")
    with pytest.raises(UserError, match="exists already"):
        create(Draft("mine", "loss", tmp_path), NOBODY)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["mine", "precious"][: 1 + (content == "folder")]


def test_an_empty_folder_is_filled(tmp_path):
    (tmp_path / "mine").mkdir()
    create(Draft("mine", "loss", tmp_path), NOBODY)
    assert (tmp_path / "mine" / "pyproject.toml").is_file()


def test_a_disk_that_takes_nothing_is_an_error_in_words(tmp_path, monkeypatch):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(NstError, match="No space left on device"):
        create(Draft("mine", "loss", tmp_path), NOBODY)
    assert list(tmp_path.iterdir()) == []
