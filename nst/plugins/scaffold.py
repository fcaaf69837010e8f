"""A new plugin: what `plugins/nst-example` has for one kind, under a name of its own.

The example is a distribution that works, with one of each kind, and its parts are told by their names alone. To the
kind `image-backend` belong the constant `IMAGE_BACKEND` and what yields it, `image_backend.py` and what it imports,
the test class `TestImageBackend`, the README's section "image-backend" and the name `example-image-backend`.
"""

from __future__ import annotations

import ast
import json
import keyword
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from functools import partial
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from nst.errors import Findings, NstError, UserError, raise_all, unknown
from nst.io import atomic
from nst.plugins.discovery import canonical
from nst.plugins.host import HOMES, Plugins

KINDS = ("backend", "image-backend", "optimizer", "initializer", "loss", "executor")
"""What there is a template for."""

LONGEST = 64
"""Characters of a name, so that no line of the template grows too long."""

NAME = re.compile(r"[a-z0-9]([a-z0-9._-]*[a-z0-9])?", re.IGNORECASE | re.ASCII)
"""The name of a distribution (PEP 508)."""

AUTHOR = re.compile(r"\s*(?P<name>[^<>]*?)\s*(<(?P<email>[^<>@\s]+@[^<>@\s]+)>)?\s*")


@dataclass(frozen=True)
class Draft:
    """A plugin to be written: `name` of the distribution, `kind`, the folder it goes `into`, and `author` or ""."""

    name: str
    kind: str
    into: Path = Path()
    author: str = ""

    @property
    def distribution(self) -> str:
        """The one spelling of the name, which is also the plugin's and the folder's."""
        return canonical(self.name)

    @property
    def package(self) -> str:
        """The name to import."""
        return self.distribution.replace("-", "_")

    @property
    def folder(self) -> Path:
        """Where it will be."""
        return self.into / self.distribution


def create(draft: Draft, plugins: Plugins) -> list[str]:
    """Write the distribution, whole or not at all, and return the commands that try it.

    Raises `UserError` with every mistake in the draft, `NstError` where it cannot be written.
    """
    raise_all(find_mistakes(draft, plugins))
    files = render(draft)
    try:
        atomic.folder(draft.folder, files)
    except OSError as error:
        raise NstError(f"cannot write {draft.folder}: {error.strerror}", "choose another folder with --into") from error
    use = next(line for line in files["README.md"].splitlines() if line.startswith(("nst stylize", "nst batch")))
    return [f"cd {shlex.quote(str(draft.folder))}", "pip install -e '.[test]'", "pytest", use]


def find_mistakes(draft: Draft, plugins: Plugins) -> list[UserError]:
    """Everything that keeps the draft from becoming a plugin of this Python."""
    found = Findings()
    found.add(_name_mistake(draft))
    if not found.errors:
        found.add(_installed(draft), _name_taken(draft, plugins), _in_the_way(draft))
    if draft.kind not in KINDS:
        found.add(unknown("kind", draft.kind, KINDS))
    if not draft.into.is_dir():
        found.add(UserError(f"there is no folder {draft.into}", f"mkdir -p {shlex.quote(str(draft.into))}"))
    if not AUTHOR.fullmatch(draft.author) or not draft.author.isprintable():
        hint = "write it like 'Ada Lovelace <ada@example.org>'"
        found.add(UserError(f"--author {draft.author!r} is not an author", hint))
    return found.errors


def _name_mistake(draft: Draft) -> UserError | None:
    if not NAME.fullmatch(draft.name) or len(draft.name) > LONGEST:
        hint = f"letters, digits and - between them, {LONGEST} at most, such as nst-pointillism"
        return UserError(f"'{draft.name}' cannot be the name of a distribution", hint)
    hint = f"choose another, such as nst-{draft.distribution}"
    if not draft.package.isidentifier() or keyword.iskeyword(draft.package):
        return UserError(f"'{draft.name}' cannot be imported: '{draft.package}' is not a name in Python", hint)
    if draft.package in sys.stdlib_module_names:
        return UserError(f"'{draft.name}' would hide Python's own module '{draft.package}'", hint)
    return None


def _installed(draft: Draft) -> UserError | None:
    """Return the error if the name is that of an installed distribution or package, of nst, or of a requirement."""
    try:
        installed = f"'{draft.distribution}' {version(draft.distribution)} is installed already"
        return UserError(installed, "choose another name")
    except PackageNotFoundError:
        module = find_spec(draft.package)
    if draft.distribution in {*HOMES.values(), *_needed()}:
        return UserError(
            f"'{draft.distribution}' is a distribution that nst or its plugins need", "choose another name"
        )
    if module is None or module.origin is None:  # a folder without __init__.py is nobody's
        return None
    hidden = f"'{draft.name}' would hide the module '{draft.package}', which is installed"
    return UserError(hidden, "choose another name")


def _needed() -> Iterator[str]:
    """Return the requirements of the template and of its tests."""
    project = tomllib.loads(_template("pyproject.toml"))["project"]
    yield "pytest"  # by way of nst[testing]
    yield from map(_distribution, [*project["dependencies"], *project["optional-dependencies"]["test"]])


def _distribution(requirement: str) -> str:
    """Return the distribution of a requirement: `array-api-compat` for `array-api-compat>=1.9`."""
    return re.split("[^a-z-]", requirement)[0]


def _name_taken(draft: Draft, plugins: Plugins) -> UserError | None:
    kind = draft.kind.removeprefix("image-")
    owners = [plugin.distribution for plugin, spec in plugins.offered(kind) if spec.name == draft.distribution]
    owners += filter(None, [HOMES.get(draft.distribution)])
    if not owners:
        return None
    return UserError(f"{owners[0]} offers the {kind} '{draft.distribution}' already", "choose another name")


def _in_the_way(draft: Draft) -> UserError | None:
    """Return the error if a file, a link or a nonempty folder is at the distribution's path."""
    folder = draft.folder
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        return UserError(f"{folder} exists already", "choose another name, or another folder with --into")
    return None


def render(draft: Draft) -> dict[str, str]:
    """Return the distribution's files: their paths, with /, and their texts."""
    part = f"{draft.kind.replace('-', '_')}.py"
    code = _template(f"src/nst_example/{part}")
    others = [kind for kind in KINDS if kind != draft.kind]
    files = {
        "pyproject.toml": _manifest(draft, code),
        "README.md": _readme(draft, others),
        "LICENSE": _license(draft),
        ".github/workflows/test.yml": _template(".github/workflows/test.yml"),
        "src/nst_example/__init__.py": _without(_template("src/nst_example/__init__.py"), set(map(_constant, others))),
        f"src/nst_example/{part}": code,
        "src/nst_example/py.typed": "",
        "tests/test_conformance.py": _without(_template("tests/test_conformance.py"), set(map(_test, others))),
    }
    return {_renamed(path, draft): _renamed(text, draft) for path, text in files.items()}


def _template(path: str) -> str:
    """Read a file of the example: in nst's wheel, or beside it in a checkout."""
    package = Path(__file__).parents[1]
    shipped = package / "data" / "example"
    folder = shipped if shipped.is_dir() else package.parent / "plugins" / "nst-example"
    return (folder / path).read_text("utf-8")


def _renamed(text: str, draft: Draft) -> str:
    names = {
        "nst_example": draft.package,
        "nst-example": draft.distribution,
        f"example-{draft.kind}": draft.distribution,
    }
    return re.sub("|".join(names), lambda match: names[match[0]], text)


def _constant(kind: str) -> str:
    return kind.upper().replace("-", "_")


def _test(kind: str) -> str:
    return "Test" + kind.title().replace("-", "")


def _title(kind: str) -> str:
    return f"{'An' if kind[0] in 'aeio' else 'A'} {kind.replace('-', ' ')} for nst"


def _manifest(draft: Draft, code: str) -> str:
    """Return the example's pyproject.toml with this description, this author, and the dependencies of the code."""
    text = _template("pyproject.toml")
    project = tomllib.loads(text)["project"]
    imported = {module.partition(".")[0] for module in _imported(code)}
    for requirement in project["dependencies"]:
        if _distribution(requirement).replace("-", "_") not in imported:
            text = text.replace(f'    "{requirement}",\n', "")
    given = AUTHOR.fullmatch(draft.author)
    pairs = [f"{key} = {_quoted(value)}" for key, value in (given.groupdict() if given else {}).items() if value]
    authors = f"authors = [{{ {', '.join(pairs)} }}]\n" if pairs else ""
    text = text.replace("requires-python", f"{authors}requires-python")
    return text.replace(_quoted(project["description"]), _quoted(f"{_title(draft.kind)}."))


def _quoted(text: str) -> str:
    """Return a TOML string, which is JSON's for printable text."""
    return json.dumps(text, ensure_ascii=False)


def _imported(code: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield str(node.module)


def _readme(draft: Draft, others: Collection[str]) -> str:
    """Return the title, the section of this kind, and the sections of no kind."""
    sections = re.split("^## ", _template("README.md"), flags=re.MULTILINE)[1:]
    kept = {title: body for title, _, body in (section.partition("\n") for section in sections) if title not in others}
    own = kept.pop(draft.kind)
    return f"# nst-example\n\n{_title(draft.kind)}.\n{own}" + "".join(f"## {title}\n{kept[title]}" for title in kept)


def _license(draft: Draft) -> str:
    given = AUTHOR.fullmatch(draft.author)
    text = _template("LICENSE")
    return text.replace("the authors of nst-example", given["name"]) if given and given["name"] else text


def _without(source: str, unwanted: Collection[str]) -> str:
    """Python source without the statements about `unwanted` names, and without what then has no more to do."""
    source = _cut(source, partial(_about, names=unwanted))
    return _with_imports_used(_cut(source, _is_empty))


def _cut(source: str, doomed: Callable[[ast.stmt], bool]) -> str:
    """Remove the given statements and the blank lines before each; the first statement of a body is its docstring."""
    lines = source.splitlines(keepends=True)
    for parent in ast.walk(ast.parse(source)):
        for before, node in pairwise(getattr(parent, "body", ())):
            if doomed(node):
                lines[before.end_lineno : node.end_lineno] = [""] * (node.end_lineno - before.end_lineno)
    return "".join(lines)


def _about(node: ast.stmt, names: Collection[str]) -> bool:
    match node:
        case (
            ast.Assign(targets=[ast.Name(id=name)])
            | ast.ClassDef(name=name)
            | ast.Expr(value=ast.Yield(value=ast.Name(id=name)))
        ):
            return name in names
    return False


def _is_empty(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and len(node.body) == 1


def _with_imports_used(source: str) -> str:
    lines, tree = source.splitlines(keepends=True), ast.parse(source)
    used = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    for node in reversed(tree.body):
        if isinstance(node, ast.ImportFrom) and node.module != "__future__":
            names = ", ".join(alias.name for alias in node.names if alias.name in used)
            lines[node.lineno - 1 : node.end_lineno] = [f"from {node.module} import {names}\n"]
    return "".join(lines)
