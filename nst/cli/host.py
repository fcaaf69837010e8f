"""The plugin host of a command, with a warning for each plugin that cannot be used."""

from __future__ import annotations

from nst.cli.installed import installed
from nst.cli.progress import say
from nst.plugins.host import Plugins


def host() -> Plugins:
    """Return the installed plugins, and print a line on stderr for each that could not be loaded."""
    plugins = installed()
    for plugin in plugins.installed:
        if plugin.reason:
            say(f"warning: plugin {plugin.distribution} {plugin.entry.version} is {plugin.status}: {plugin.reason}")
    return plugins
