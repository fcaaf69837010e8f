"""Find, load, validate and name plugins; `host.Plugins` is the class that callers use."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.plugins.host import Plugin as Plugin
    from nst.plugins.host import Plugins as Plugins
    from nst.plugins.options import read_options as read_options

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.plugins.host": (
            "Plugin",
            "Plugins",
        ),
        "nst.plugins.options": ("read_options",),
    },
)
