"""`nst plugins list`: print a row per installed plugin. No Typer here: see `nst.cli`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence

from nst.cli.installed import installed
from nst.plugins.host import KINDS, Plugin


def show(as_json: bool) -> None:
    """Print the installed plugins as a table, or as JSON."""
    plugins = installed().installed
    sys.stdout.write(_json(plugins) if as_json else _table(plugins))


def offers(plugin: Plugin) -> dict[str, list[str]]:
    """Return the names of the specs that a plugin offers, by kind."""
    return {kind: [spec.name for spec in plugin.specs.get(kind, ())] for kind in KINDS if plugin.specs.get(kind)}


def _json(plugins: Iterable[Plugin]) -> str:
    import json

    rows = [
        {
            "distribution": plugin.distribution,
            "version": plugin.entry.version,
            "module": plugin.entry.module,
            "status": plugin.status,
            "offers": offers(plugin),
            "reason": plugin.reason,
            "remedy": plugin.remedy,
            "note": plugin.note,
        }
        for plugin in plugins
    ]
    return json.dumps(rows, indent=2) + "\n"


def _table(plugins: Iterable[Plugin]) -> str:
    rows = [("PLUGIN", "VERSION", "STATUS", "OFFERS")]
    rows += [(plugin.distribution, plugin.entry.version, plugin.status, _offer(plugin)) for plugin in plugins]
    if len(rows) == 1:
        return "no plugins installed\nhint: pip install 'nst[torch]'\n"
    return format_table(rows)


def format_table(rows: Sequence[Sequence[str]]) -> str:
    """Format the rows as lines with aligned columns."""
    return "".join(_line(row, [max(map(len, column)) for column in zip(*rows, strict=True)]) for row in rows)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    return "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() + "\n"


def _offer(plugin: Plugin) -> str:
    if plugin.reason:
        return f"{plugin.reason}; {plugin.remedy}"
    offered = "; ".join(f"{kind}: {', '.join(names)}" for kind, names in offers(plugin).items())
    return f"{offered} ({plugin.note})" if plugin.note else offered
