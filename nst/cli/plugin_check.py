"""`nst plugins check`: check a plugin as far as that is possible without running it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from nst.cli.installed import installed
from nst.cli.options import Json
from nst.errors import unknown
from nst.plugins.host import Plugins

if TYPE_CHECKING:
    from nst.testing.checks import Finding

WIDTH = 80
INDENT = " " * len("failed  factories  ")


def check(
    distribution: Annotated[
        str, typer.Argument(metavar="DIST", help="name of the installed distribution, as in pip list")
    ],
    as_json: Json = False,
) -> None:
    """See `nst.cli.commands`."""
    from nst.testing.checks import Subject, examine, worst_level

    plugins = installed(Plugins)
    subject = Subject(plugins, distribution)
    if not subject.plugins:
        names = {plugin.distribution for plugin in plugins.installed}
        raise unknown("distribution", distribution, names, "(one with a plugin, installed here)")
    findings = examine(subject)
    if as_json:
        typer.echo(_json(findings))
    else:
        entries = [plugin.entry for plugin in subject.plugins]
        typer.echo("\n".join(f"{entry.distribution} {entry.version} ({entry.module})" for entry in entries))
        typer.echo("\n".join(line for finding in findings for line in _rows(finding)))
    raise typer.Exit(1 if worst_level(findings) == "failed" else 0)


def _json(findings: list[Finding]) -> str:
    import json
    from dataclasses import asdict

    return json.dumps([asdict(finding) for finding in findings], indent=2)


def _rows(finding: Finding) -> Iterator[str]:
    yield textwrap.fill(f"{finding.status:<6}  {finding.name:<9}  {finding.message}", WIDTH, subsequent_indent=INDENT)
    if finding.hint:
        yield textwrap.fill(f"hint: {finding.hint}", WIDTH, initial_indent=INDENT, subsequent_indent=INDENT)
