"""Write the distribution of a new plugin from `templates/`.

The files of a kind are those in `templates/common` and in `templates/<kind>`, with the values of `string.Template`
filled in and the folder `package` renamed. A file in both folders is the kind's text, followed by the common one.
"""

from __future__ import annotations

import json
import keyword
import os
import re
import shlex
import sys
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from string import Template

from packaging.requirements import Requirement
from packaging.utils import InvalidName, canonicalize_name

from nst.errors import Findings, NstError, UserError, raise_all, unknown
from nst.io import atomic
from nst.plugins.host import HOMES, OURS, Plugins

TEMPLATES = Path(__file__).with_name("templates")
SUFFIX = ".template"

REQUIREMENTS: Mapping[str, tuple[str, ...]] = {
    "backend": ("autograd>=1.8", "numpy>=2.0"),
    "image-backend": ("numpy>=2.0",),
    "optimizer": ("array-api-compat>=1.9",),
    "initializer": ("numpy>=2.0",),
    "loss": (),
    "executor": (),
}
"""The distributions that the template of each kind needs beside nst."""

KINDS = tuple(REQUIREMENTS)

AUTHOR = re.compile(r"\s*(?P<name>[^<>]*?)\s*(<(?P<email>[^<>@\s]+@[^<>@\s]+)>)?\s*")
"""`Ada Lovelace <ada@example.org>`; the name or the address may be missing."""

LONGEST = 64
"""Characters of a name, so that no line of the template grows too long."""


@dataclass(frozen=True)
class Draft:
    """A plugin to write: the `name` of its distribution, its `kind`, the parent folder `into`, and `author` or ""."""

    name: str
    kind: str
    into: Path = Path()
    author: str = ""

    @property
    def distribution(self) -> str:
        """The normalized name, which is also the plugin's and the folder's."""
        return canonicalize_name(self.name)

    @property
    def package(self) -> str:
        """The name of the Python package."""
        return self.distribution.replace("-", "_")

    @property
    def folder(self) -> Path:
        """The folder of the distribution."""
        return self.into / self.distribution


def create(draft: Draft, plugins: Plugins) -> list[str]:
    """Write the distribution completely or not at all, and return the commands that test and use it.

    Raises `UserError` with every mistake in the draft, `NstError` if the files cannot be written.
    """
    raise_all(scaffold_errors(draft, plugins))
    files = render(draft)
    try:
        atomic.folder(draft.folder, files)
    except OSError as error:
        raise NstError(f"cannot write {draft.folder}: {error.strerror}", "choose another folder with --into") from error
    use = next(line for line in files["README.md"].splitlines() if line.startswith(("nst stylize", "nst batch")))
    return [f"cd {shlex.quote(str(draft.folder))}", "pip install -e '.[test]'", "pytest", use]


def scaffold_errors(draft: Draft, plugins: Plugins) -> list[UserError]:
    """Return an error for each reason why the draft cannot be written here."""
    findings = Findings()
    findings.add(_name_mistake(draft))
    if not findings.errors:
        findings.add(_installed(draft), _name_taken(draft, plugins), _in_the_way(draft))
    if draft.kind not in KINDS:
        findings.add(unknown("kind", draft.kind, KINDS))
    if not draft.into.is_dir():
        findings.add(UserError(f"there is no folder {draft.into}", f"mkdir -p {shlex.quote(str(draft.into))}"))
    if not AUTHOR.fullmatch(draft.author) or not draft.author.isprintable():
        hint = "write it like 'Ada Lovelace <ada@example.org>'"
        findings.add(UserError(f"--author {draft.author!r} is not an author", hint))
    return findings.errors


def _name_mistake(draft: Draft) -> UserError | None:
    if not _is_distribution_name(draft.name):
        hint = f"letters, digits and - between them, {LONGEST} at most, such as nst-pointillism"
        return UserError(f"'{draft.name}' cannot be the name of a distribution", hint)
    hint = f"choose another, such as nst-{draft.distribution}"
    if not draft.package.isidentifier() or keyword.iskeyword(draft.package):
        return UserError(f"'{draft.name}' cannot be imported: '{draft.package}' is not a name in Python", hint)
    if draft.package in sys.stdlib_module_names:
        return UserError(f"'{draft.name}' would hide Python's own module '{draft.package}'", hint)
    return None


def _is_distribution_name(name: str) -> bool:
    """Return whether PEP 508 allows the name, and it is short enough."""
    try:
        return len(canonicalize_name(name, validate=True)) <= LONGEST
    except InvalidName:
        return False


def _installed(draft: Draft) -> UserError | None:
    """Return the error if the name is that of an installed distribution or module, of nst, or of a requirement."""
    name, hint = draft.distribution, "choose another name"
    try:
        return UserError(f"'{name}' {version(name)} is installed already", hint)
    except PackageNotFoundError:
        module = find_spec(draft.package)
    if name in OURS or name in _requirements():
        return UserError(f"'{name}' is a distribution that nst or its plugins need", hint)
    if module is None or module.origin is None:  # a folder without __init__.py belongs to nobody
        return None
    return UserError(f"'{draft.name}' would hide the module '{draft.package}', which is installed", hint)


def _requirements() -> Iterator[str]:
    """Yield the distributions that the templates and their tests need."""
    yield "pytest"  # through nst[testing]
    project = tomllib.loads(render(Draft("any", "loss"))["pyproject.toml"])["project"]
    lines = [*project["optional-dependencies"]["test"], *(line for lines in REQUIREMENTS.values() for line in lines)]
    yield from (canonicalize_name(Requirement(line).name) for line in lines)


def _name_taken(draft: Draft, plugins: Plugins) -> UserError | None:
    kind = draft.kind.removeprefix("image-")
    owners = [plugin.distribution for plugin, spec in plugins.offered(kind) if spec.name == draft.distribution]
    owners += filter(None, [HOMES.get(draft.distribution)])
    if not owners:
        return None
    return UserError(f"{owners[0]} offers the {kind} '{draft.distribution}' already", "choose another name")


def _in_the_way(draft: Draft) -> UserError | None:
    """Return the error if a file, a link or a folder with files is at the distribution's path."""
    folder = draft.folder
    if os.path.lexists(folder) and (folder.is_symlink() or not folder.is_dir() or any(folder.iterdir())):
        return UserError(f"{folder} exists already", "choose another name, or another folder with --into")
    return None


def render(draft: Draft) -> dict[str, str]:
    """Return the text of each file of the distribution by its path, with `/`."""
    values = _values(draft)
    texts: dict[str, str] = {}
    for folder in (TEMPLATES / draft.kind, TEMPLATES / "common"):
        for file in sorted(folder.rglob(f"*{SUFFIX}")):
            path = file.relative_to(folder).as_posix().removesuffix(SUFFIX).replace("/package/", f"/{draft.package}/")
            texts[path] = texts.get(path, "") + Template(file.read_text("utf-8")).substitute(values)
    return texts


def _values(draft: Draft) -> dict[str, str]:
    match = AUTHOR.fullmatch(draft.author)
    author = {key: text for key, text in match.groupdict().items() if text} if match else {}
    fields = ", ".join(f"{key} = {_quoted(text)}" for key, text in author.items())
    return {
        "distribution": draft.distribution,
        "package": draft.package,
        "title": f"{'An' if draft.kind[0] in 'aeio' else 'A'} {draft.kind.replace('-', ' ')} for nst",
        "dependencies": "".join(f"    {_quoted(line)},\n" for line in REQUIREMENTS[draft.kind]),
        "authors": f"authors = [{{ {fields} }}]\n" if fields else "",
        "holder": author.get("name", f"the authors of {draft.distribution}"),
    }


def _quoted(text: str) -> str:
    """Return a TOML string, which is JSON's for printable text."""
    return json.dumps(text, ensure_ascii=False)
