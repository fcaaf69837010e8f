"""`nst plugins`: list and show the installed plugins, and start a new one."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated

import typer

from nst.cli import listing
from nst.cli.host import host
from nst.cli.options import Json
from nst.cli.progress import say
from nst.errors import UserError, unknown
from nst.plugins.describe import Description, OptionText, WeightsText, as_data, describe
from nst.plugins.host import KINDS, Plugin, Plugins
from nst.specs import Spec

WIDTH = 80


def list_(as_json: Json = False) -> None:
    """See `nst.cli.commands`."""
    listing.show(as_json)


def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="a plugin, backend, optimizer, initializer, loss or executor")
    ],
    as_json: Json = False,
) -> None:
    """See `nst.cli.commands`."""
    matches = _find(host(), name)
    if as_json:
        import json

        typer.echo(json.dumps([as_data(*match) for match in matches], indent=2))
    else:
        typer.echo("\n\n".join(_text(describe(*match)) for match in matches))


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="name of the new distribution, such as nst-pointillism")],
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="backend, image-backend, optimizer, initializer, loss or executor"),
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="the plugin is written to a new folder inside this folder")
    ] = Path(),
    author: Annotated[str, typer.Option("--author", metavar="'NAME <EMAIL>'", help="author of the plugin")] = "",
) -> None:
    """See `nst.cli.commands`."""
    from nst.plugins.scaffold import Draft, create

    draft = Draft(name, kind, into, author)
    commands = create(draft, host())
    say(f"Saved {draft.folder}: a working plugin. To install and test it:")
    typer.echo("\n".join(commands))


def _find(plugins: Plugins, name: str) -> list[tuple[Plugin, str, Spec]]:
    """Return every spec called `name`, and every spec of the distribution `name`."""
    offered = [(owner, kind, spec) for kind in KINDS for owner, spec in plugins.offered(kind)]
    matches = [
        row for row in offered if name in (row[2].name, row[0].distribution, f"{row[0].distribution}:{row[2].name}")
    ]
    if matches:
        return matches
    for plugin in plugins.installed:
        if plugin.distribution == name:
            raise UserError(
                f"plugin '{name}' is {plugin.status}: {plugin.reason or 'it offers nothing'}",
                plugin.remedy or "see nst plugins list",
            )
    names = {spec.name for _, _, spec in offered} | {plugin.distribution for plugin in plugins.installed}
    raise unknown("plugin or name", name, names)


def _text(description: Description) -> str:
    """Format a description for a terminal of 80 columns."""
    lines = [f"{description.name} ({description.kind}, from {description.owner})", _wrap(description.summary, 2)]
    lines += [_wrap(f"{label}: {text}", 2, 4) for label, text in description.facts.items()]
    for title, items in (("weights", description.weights), ("options", description.options)):
        lines += [f"  {title}:", *map(_item, items)] if items else []
    return "\n".join(lines)


def _item(item: WeightsText | OptionText) -> str:
    if isinstance(item, OptionText):
        return "\n".join([_wrap(f"{item.name} = {item.default} ({item.allowed})", 4, 8), _wrap(item.help, 6)])
    facts = (_wrap(f"{label}: {text}", 6, 8) for label, text in item.facts.items())
    return "\n".join([_wrap(f"{item.name} ({item.size})", 4, 8), *facts])


def _wrap(text: str, indent: int, hanging: int | None = None) -> str:
    """Wrap to lines of 80 columns; longer words, such as the names of factories, stay whole."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hanging is None else hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )
