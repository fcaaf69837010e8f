"""The pages of the reference that are generated from the code: every plugin, every option, every command.

MkDocs calls `on_files`. The texts of plugins are those of `nst.plugins.describe`, as in `nst plugins show`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from typer.main import get_command

from nst.cli.app import app
from nst.cli.commands import COMMANDS
from nst.plugins.describe import Description, describe
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.recipe import fields
from nst.recipe.recipe import FIELDS, Recipe, flag

ROOT = Path(__file__).parents[1]
INTROS = {
    "backend": "The networks: `--backend NAME`, its options with `--backend-option NAME=VALUE`.",
    "optimizer": "How the picture is optimized: `--optimizer NAME`, its options with `--optimizer-option NAME=VALUE`.",
    "initializer": "The picture to start from: `--init NAME`, its options with `--init-option NAME=VALUE`.",
    "loss": "What is compared: `--style-loss NAME`, `--content-loss NAME`, and more with `--loss NAME=WEIGHT@LAYERS`.",
    "executor": "Where `nst batch` paints: `--executor NAME`, its options with `--executor-option NAME=VALUE`.",
}
ASIDE = "`nst plugins show NAME` says the same of what you have installed."


def own_plugins() -> Plugins:
    """Return the plugins of this checkout, whatever is installed."""
    found = sorted(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))
    folders = [ROOT, *sorted(found, key=lambda folder: folder.name == "nst-example")]  # the examples last
    sys.path[:0] = [str(source) for folder in folders if (source := folder / "src").is_dir()]
    tables = [tomllib.loads((folder / "pyproject.toml").read_text("utf-8"))["project"] for folder in folders]
    return Plugins([_entry(table) for table in tables], strict=True)


def _entry(project: Mapping[str, Any]) -> EntryPoint:
    ((group, entries),) = project["entry-points"].items()
    ((name, module),) = entries.items()
    return EntryPoint(group, name, module, project["name"], project["version"])


def offers(plugins: Plugins, kind: str) -> str:
    """Return the page of all plugins of one kind."""
    told = [describe(plugin, kind, spec) for plugin, spec in plugins.offered(kind)]
    title = f"{kind.title()}{'es' if kind.endswith('s') else 's'}"
    return "\n\n".join([f"# {title}", f"{INTROS[kind]} {ASIDE}", *map(_offer, told)]) + "\n"


def _offer(told: Description) -> str:
    parts = [f"## {told.name}", f"{told.summary}; from {told.owner}", _facts(told.facts)]
    for weights in told.weights:
        parts += [f"### Weights `{weights.name}` of {told.name}", f"{weights.size}", _facts(weights.facts)]
    if told.options:
        rows = ([f"`{each.name}`", f"`{each.default}`", each.allowed, each.help] for each in told.options)
        parts += [f"### Options of {told.name}", _table(("option", "default", "allowed", "what it is"), rows)]
    return "\n\n".join(parts)


def _facts(facts: Mapping[str, str]) -> str:
    return "\n".join(f"- *{label}*: {text}" for label, text in facts.items())


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    titles = list(head)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [titles, ["---"] * len(titles), *rows])


def recipe() -> str:
    """Return the page of the recipe's fields."""
    defaults = Recipe().to_dict()
    rows = (_field(name, defaults[name]) for name in FIELDS)
    intro = (
        "Everything that decides the picture, except the pictures: in a TOML file, on the command line, and in Python "
        "as `Recipe(size=1024)`. [Recipes](../recipes.md) says when to use what."
    )
    return f"# Recipe fields\n\n{intro}\n\n{_table(('field', 'option', 'default', 'what it is'), rows)}\n"


def _field(name: str, default: Any) -> list[str]:
    metadata = FIELDS[name].metadata
    words = f"`{flag(name)} {metadata['metavar']}`"
    return [f"`{name}`", words, f"`{_toml(default)}`", f"{metadata['help']}{_allowed(metadata['read'])}"]


def _allowed(read: Callable[[Any], Any]) -> str:
    """Return the allowed values of a field, from the docstring of its reader; "" for any text."""
    said = " ".join((read.__doc__ or "").partition("\n\n")[0].split())
    return "" if read is fields.text else f". *{said}*"


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return json.dumps(value)


def commands() -> str:
    """Return the page of the commands, each with its own options."""
    root = get_command(app)
    parts = ["# Commands", "Every command takes `--help`, `--debug` (show tracebacks) and `--no-plugins`."]
    for words, summary in COMMANDS.items():
        parts += [f"## nst {words}", summary, *_command(_resolved(root, words))]
    return "\n\n".join(parts) + "\n"


def _resolved(group: Any, words: str) -> Any:
    for word in words.split():
        group = group.commands[word]
    return group


def _command(command: Any) -> Iterator[str]:
    told = [each for each in command.params if each.name != "help"]
    takes_recipes = FIELDS.keys() <= {each.name for each in told}
    own = [each for each in told if not (takes_recipes and each.name in FIELDS)]
    if own:
        rows = ([f"`{_spelling(each)}`", str(each.help or "")] for each in own)
        yield _table(("argument or option", "what it is"), rows)
    if takes_recipes:
        yield "And an option for every [recipe field](recipe.md)."


def _spelling(parameter: Any) -> str:
    metavar = parameter.metavar or ("" if getattr(parameter, "is_flag", False) else "VALUE")
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else ""
    return f"{names} {metavar}".strip()


def pages() -> dict[str, str]:
    """Return the text of every generated page, by its path."""
    plugins = own_plugins()
    kinds = {"backends": "backend", "optimizers": "optimizer", "initializers": "initializer", "losses": "loss"}
    kinds |= {"executors": "executor"}
    made = {f"reference/{name}.md": offers(plugins, kind) for name, kind in kinds.items()}
    return made | {"reference/recipe.md": recipe(), "reference/commands.md": commands()}


def on_files(files: Any, config: Any) -> Any:
    """MkDocs' hook: the pages, as if they were files."""
    from mkdocs.structure.files import File

    for place, text in pages().items():
        files.append(File.generated(config, place, content=text))
    return files
