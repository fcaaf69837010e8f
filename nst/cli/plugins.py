"""`nst plugins`: what is installed and what it declares."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer

from nst.cli import listing
from nst.cli.session import host
from nst.errors import UserError, unknown
from nst.plugins import KINDS, Plugin, Plugins
from nst.specs import BackendSpec, Option, Spec

Json = Annotated[bool, typer.Option("--json", help="print JSON")]


def list_(as_json: Json = False) -> None:
    """See `nst.cli.commands`."""
    listing.show(as_json)


def show(
    name: Annotated[str, typer.Argument(metavar="NAME", help="a plugin, backend, optimizer, initializer or loss")],
    as_json: Json = False,
) -> None:
    """See `nst.cli.commands`."""
    found = _find(host(), name)
    if as_json:
        import json

        typer.echo(
            json.dumps(
                [{"type": kind, "plugin": owner.distribution, **asdict(spec)} for owner, kind, spec in found], indent=2
            )
        )
    else:
        typer.echo("\n\n".join(_describe(owner, kind, spec) for owner, kind, spec in found))


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


def _describe(owner: Plugin, kind: str, spec: Spec) -> str:
    lines = [f"{spec.name} ({kind}, from {owner.distribution} {owner.entry.version})", f"  {spec.summary}"]
    if isinstance(spec, BackendSpec):
        lines += _describe_backend(spec)
    lines += ["  options:", *map(_describe_option, spec.options)] if spec.options else []
    return "\n".join(lines)


def _describe_backend(spec: BackendSpec) -> list[str]:
    sets = [
        f"    {weights.name}: {weights.origin}; {weights.licence}; preprocessing {weights.preprocessing}"
        for weights in spec.weights
    ]
    extractor = [f"  layers: {' '.join(spec.layers)}", f"  pooling: {', '.join(spec.pooling)}"]
    return [
        *(extractor if spec.kind == "feature" else ["  paints in one pass"]),
        f"  devices: {', '.join(spec.devices)}; precision {', '.join(spec.precisions)}",
        "  weights:",
        *sets,
    ]


def _describe_option(option: Option) -> str:
    low, high = option.minimum, option.maximum
    bounds = (
        f", {'' if low is None else f'{low:g}'}..{'' if high is None else f'{high:g}'}"
        if (low, high) != (None, None)
        else ""
    )
    choices = f", one of {', '.join(option.choices)}" if option.choices else ""
    value = f"{option.default} {option.unit}".rstrip()
    return f"    {option.name} = {value}  {option.help}{bounds}{choices}"


__all__: list[Any] = ["list_", "show"]
