"""`nst plugins`: what is installed and what it declares, and the start of a new one."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli import listing
from nst.cli.host import host
from nst.cli.progress import say
from nst.errors import UserError, unknown
from nst.plugins.describe import Description, OptionText, WeightsText, as_data, describe
from nst.plugins.host import KINDS, Plugin, Plugins
from nst.specs import Spec

Json = Annotated[bool, typer.Option("--json", help="print JSON")]

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
    found = _find(host(), name)
    if as_json:
        import json

        typer.echo(json.dumps([as_data(*each) for each in found], indent=2))
    else:
        typer.echo("\n\n".join(_text(describe(*each)) for each in found))


def new(
    name: Annotated[str, typer.Argument(metavar="NAME", help="what it will be called, such as nst-pointillism")],
    kind: Annotated[
        str,
        typer.Option("--kind", metavar="KIND", help="backend, image-backend, optimizer, initializer, loss or executor"),
    ],
    into: Annotated[
        Path, typer.Option("--into", metavar="FOLDER", help="folder in which it gets a folder of its own")
    ] = Path(),
    author: Annotated[str, typer.Option("--author", metavar="'NAME <EMAIL>'", help="its author")] = "",
) -> None:
    """See `nst.cli.commands`."""
    from nst.plugins.scaffold import Draft, create

    draft = Draft(name, kind, into, author)
    commands = create(draft, host())
    say(f"{draft.folder} is written, and works; to see it:")
    typer.echo("\n".join(commands))


def _find(plugins: Plugins, name: str) -> list[tuple[Plugin, str, Spec]]:
    """Everything called `name`, and everything of the distribution `name`."""
    offered = [(owner, kind, spec) for kind in KINDS for owner, spec in plugins.offered(kind)]
    found = [
        row for row in offered if name in (row[2].name, row[0].distribution, f"{row[0].distribution}:{row[2].name}")
    ]
    if found:
        return found
    for plugin in plugins.installed:
        if plugin.distribution == name:
            raise UserError(
                f"plugin '{name}' is {plugin.status}: {plugin.reason or 'it offers nothing'}",
                plugin.remedy or "see nst plugins list",
            )
    names = {spec.name for _, _, spec in offered} | {plugin.distribution for plugin in plugins.installed}
    raise unknown("plugin or name", name, names)


def _text(told: Description) -> str:
    """Format a description for a terminal of 80 columns."""
    lines = [f"{told.name} ({told.kind}, from {told.owner})", _wrap(told.summary, 2)]
    lines += [_wrap(f"{label}: {text}", 2, 4) for label, text in told.facts.items()]
    for title, items in (("weights", told.weights), ("options", told.options)):
        lines += [f"  {title}:", *map(_item, items)] if items else []
    return "\n".join(lines)


def _item(item: WeightsText | OptionText) -> str:
    if isinstance(item, OptionText):
        return "\n".join([_wrap(f"{item.name} = {item.default} ({item.allowed})", 4, 8), _wrap(item.help, 6)])
    facts = (_wrap(f"{label}: {text}", 6, 8) for label, text in item.facts.items())
    return "\n".join([_wrap(f"{item.name} ({item.size})", 4, 8), *facts])


def _wrap(text: str, indent: int, hanging: int | None = None) -> str:
    """Lines of at most 80 columns; what cannot be broken, such as the name of a factory, stays whole."""
    return textwrap.fill(
        text,
        WIDTH,
        initial_indent=" " * indent,
        subsequent_indent=" " * (indent if hanging is None else hanging),
        break_long_words=False,
        break_on_hyphens=False,
    )


__all__: list[Any] = ["list_", "new", "show"]
