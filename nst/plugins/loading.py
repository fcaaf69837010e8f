"""Import one plugin on the caller's thread, ask for its specs, and catch its error.

A plugin that takes long is named on stderr while it is being waited for; Ctrl-C ends the wait. Not survived:
`os._exit`, a crash in C, and a plugin that catches Ctrl-C itself and goes on.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from threading import Timer

import pluggy

from nst.plugins.discovery import EntryPoint
from nst.plugins.validation import Offer, collect_specs

FRAMEWORKS = ("jax", "keras", "mlx", "numpy", "scipy", "tensorflow", "torch")
"""Packages that an entry module leaves to its factories: it should import nst and the standard library alone."""

PATIENCE = 5.0
"""Seconds after which a plugin that is still loading is named on stderr."""


@dataclass
class Loaded:
    """The specs of one plugin, or the error it raised; the seconds it took, and the frameworks it imported."""

    offer: Offer = field(default_factory=dict)
    error: BaseException | None = None
    seconds: float = 0.0
    frameworks: set[str] = field(default_factory=set)


def load_plugin(entry: EntryPoint, manager: pluggy.PluginManager) -> Loaded:
    """Import the module of a plugin and collect its specs.

    Any error is returned, `SystemExit` too; only `KeyboardInterrupt` is raised. The modules of a plugin that fails are
    removed from `sys.modules`.
    """
    if entry.error:
        return Loaded(error=entry.error)
    before, began = set(sys.modules), time.monotonic()
    try:
        with _named_if_slow(entry):
            loaded = Loaded(collect_specs(entry.module, manager))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        loaded = Loaded(error=error)
    loaded.seconds = time.monotonic() - began
    loaded.frameworks = {name for name in FRAMEWORKS if name in sys.modules.keys() - before}
    if loaded.error:
        _remove_modules(entry.module.partition(".")[0], before)
    return loaded


@contextmanager
def _named_if_slow(entry: EntryPoint) -> Iterator[None]:
    """Print the name of a plugin to stderr when the block takes longer than `PATIENCE`."""
    name = entry.distribution
    text = f"waiting for plugin {entry.name} of distribution {name} (NST_DISABLE_PLUGINS={name} leaves it out)\n"
    timer = Timer(PATIENCE, _print, [text])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _print(text: str) -> None:
    with suppress(OSError):
        os.write(2, text.encode("utf-8", "backslashreplace"))  # a plugin may have closed or replaced sys.stderr


def _remove_modules(package: str, before: set[str]) -> None:
    """Remove the modules of `package` from `sys.modules`, except those imported `before`."""
    for name in sys.modules.keys() - before:
        if name.partition(".")[0] == package:
            del sys.modules[name]
