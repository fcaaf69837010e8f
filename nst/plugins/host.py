"""The plugin host: finds plugins, keeps a broken one from hurting anybody else, and turns names into specs.

A plugin is *installed* when its distribution has an entry point in the group `nst.v1`, and then *ok*, *disabled*,
*broken* or *other-api*. To make one:

    # pyproject.toml                              # my_package/__init__.py
    [project.entry-points."nst.v1"]               from nst import OptimizerSpec, hookimpl
    my-plugin = "my_package"
                                                  @hookimpl
                                                  def nst_optimizers():
                                                      yield OptimizerSpec(name="mine", factory="my_package.mine:run")

Nothing here depends on the order of plugins, and nothing is chosen for the user between equals.

A plugin is code with its user's rights. Whatever it raises, `SystemExit` and `KeyboardInterrupt` too, and taking too
long, is its own trouble; what it does to the process is not undone: `os._exit`, a crash in C, threads left running,
changes to `sys.path`, the locale or the environment.
"""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nst import hookspecs
from nst.errors import NstError, UserError, unknown
from nst.plugins.discovery import EntryPoint, canonical, discover
from nst.plugins.loading import Loaded, TooSlowError, load
from nst.plugins.validation import KINDS
from nst.specs import Spec

__all__ = ["HOMES", "KINDS", "Plugin", "Plugins"]

OWN = "nst"

TIMEOUT = 5.0
"""Seconds that a plugin may take to load, unless `NST_PLUGIN_TIMEOUT` says otherwise."""

SLOW = 0.5
"""Seconds from which a plugin is said to be slow to load."""

LONGEST = 300
"""Characters of a reason that are shown."""

HOMES: Mapping[str, str] = {
    "torch-vgg19": "nst-torch",
    "torch-vgg16": "nst-torch",
    "keras-vgg19": "nst-keras",
    "keras-vgg16": "nst-keras",
    "jax-vgg19": "nst-jax",
    "jax-vgg16": "nst-jax",
    "tfhub-fast": "nst-tfhub",
    "ray": "nst-ray",
}
"""The distributions of our own that offer a backend or an executor, for telling who lacks one what to install."""


@dataclass
class Plugin:
    """One installed plugin: where it comes from, how it is, and what it offers, by kind.

    `reason` and `remedy` are empty unless it is broken or made for another API. `note` says what is worth knowing of
    one that is ok: that it is slow to load, or imports a framework to be listed.
    """

    entry: EntryPoint
    status: Literal["ok", "disabled", "broken", "other-api"] = "ok"
    reason: str = ""
    remedy: str = ""
    note: str = ""
    specs: dict[str, list[Spec]] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """The pip name of the distribution."""
        return self.entry.distribution


class Plugins:
    """The plugins of one process, loaded once.

    `entry_points` replaces what is installed (tests use it), `disabled` names distributions to leave alone ("*" for all
    but nst's own), `strict` lets a broken plugin's exception through. A plugin not loaded within `timeout` seconds is
    broken; 0 waits for ever.
    """

    def __init__(
        self,
        entry_points: Iterable[EntryPoint] | None = None,
        *,
        disabled: Sequence[str] = (),
        strict: bool = False,
        timeout: float = TIMEOUT,
    ) -> None:
        self._strict = strict
        self._timeout = timeout
        entries = discover() if entry_points is None else entry_points
        off = frozenset(map(canonical, disabled))
        self.installed = [_found(entry, off) for entry in entries]
        self._load()

    @classmethod
    def from_environment(cls, disabled: Sequence[str] = ()) -> Plugins:
        """Return the installed plugins; `NST_DISABLE_PLUGINS`, `NST_STRICT_PLUGINS` and `NST_PLUGIN_TIMEOUT` apply.

        Raises `UserError` for a timeout that is no number of seconds.
        """
        names = os.environ.get("NST_DISABLE_PLUGINS", "").split(",")
        off = [*disabled, *(name.strip() for name in names if name.strip())]
        strict = os.environ.get("NST_STRICT_PLUGINS", "") not in ("", "0")
        return cls(disabled=off, strict=strict, timeout=_seconds(os.environ.get("NST_PLUGIN_TIMEOUT", "")))

    def _load(self) -> None:
        """Load, register and ask each plugin; whatever it raises becomes its own row and nobody else's trouble."""
        wanted = [plugin for plugin in self.installed if plugin.status == "ok"]
        for plugin, loaded in zip(wanted, load([each.entry.module for each in wanted], self._timeout), strict=True):
            if loaded.error is None:
                plugin.specs, plugin.note = loaded.offer, _note(loaded)
                continue
            if self._strict:
                loaded.error.add_note(f"in plugin {plugin.distribution} {plugin.entry.version}")
                raise loaded.error
            plugin.status = "broken"
            plugin.reason = _reason(loaded.error)
            plugin.remedy = self._remedy(loaded.error, plugin.distribution)

    def _remedy(self, error: BaseException, distribution: str) -> str:
        remove = f"pip uninstall {distribution}"
        if isinstance(error, TooSlowError):
            return f"{remove}, or NST_PLUGIN_TIMEOUT={2 * self._timeout:g} if it is only slow"
        if isinstance(error, ModuleNotFoundError):
            return f"pip install --upgrade {distribution}, or {remove}"
        return remove

    def offered(self, kind: str) -> Iterator[tuple[Plugin, Any]]:
        """Every plugin that offers something of a kind, with each spec of that kind."""
        for plugin in self.installed:
            for spec in plugin.specs.get(kind, ()):
                yield plugin, spec

    def find(self, kind: str, name: str) -> Any:
        """Find the spec of a `kind` by `name`, or by `distribution:name`. Raises `UserError` for none or several."""
        found = [
            (plugin, spec)
            for plugin, spec in self.offered(kind)
            if name in (spec.name, f"{plugin.distribution}:{spec.name}")
        ]
        if len(found) == 1:
            return found[0][1]
        if found:
            spellings = sorted({f"{plugin.distribution}:{spec.name}" for plugin, spec in found})
            hint = f"say which: {' or '.join(spellings)}" if len(spellings) > 1 else "one distribution offers it twice"
            raise UserError(f"{kind} '{name}' is offered by {len(found)} plugins", hint)
        home = HOMES.get(name, "")
        if home and self.installed and all(plugin.distribution != home for plugin in self.installed):
            raise UserError(f"{kind} '{name}' is not installed", f"pip install {home}")
        raise unknown(kind, name, {spec.name for _, spec in self.offered(kind)}, self._absence(kind))

    def load(self, spec: Spec) -> Any:
        """Import the factory of a spec. Raises `NstError`, naming its distribution, for any error of the import."""
        try:
            factory = spec.load()
        except (NstError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self._unusable(spec, _reason(error)) from error
        if not callable(factory):
            raise self._unusable(spec, f"it is a {type(factory).__name__}, which cannot be called")
        return factory

    def _unusable(self, spec: Spec, reason: str) -> NstError:
        owned = ((plugin, each) for kind in KINDS for plugin, each in self.offered(kind))
        owners = [f" of {plugin.distribution} {plugin.entry.version}" for plugin, each in owned if each is spec]
        home = spec.install or (owners[0].split()[1] if owners else spec.factory.partition(".")[0])
        return NstError(
            f"'{spec.name}'{''.join(owners[:1])} ({spec.factory}) cannot be loaded: {reason}",
            f"reinstall it: pip install --force-reinstall {home}",
        )

    def _absence(self, kind: str) -> str:
        """Why something may be missing: nothing installed, or the plugins that could not be loaded."""
        rows = sorted((each.distribution, each.status) for each in self.installed if each.status != "ok")
        if rows:
            return f"(not loaded: {', '.join(f'{name}, {status}' for name, status in rows)}; see nst plugins list)"
        return "" if any(self.offered(kind)) else f"(no plugin offers any {kind}: pip install 'nst[torch]')"


def _found(entry: EntryPoint, disabled: Collection[str]) -> Plugin:
    """Return a plugin as its entry point describes it, before its module is loaded."""
    if canonical(entry.distribution) in disabled or ("*" in disabled and entry.distribution != OWN):
        return Plugin(entry, "disabled")
    if entry.group != hookspecs.ENTRY_POINT_GROUP:
        reason = f"made for {entry.group}, this nst speaks {hookspecs.ENTRY_POINT_GROUP}"
        return Plugin(entry, "other-api", reason, f"pip install --upgrade nst {entry.distribution}")
    return Plugin(entry)


def _seconds(text: str) -> float:
    try:
        seconds = float(text or TIMEOUT)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < math.inf:
        raise UserError(f"NST_PLUGIN_TIMEOUT must be a number of seconds, not '{text}'", "0 waits for ever")
    return seconds


def _note(loaded: Loaded) -> str:
    took = [f"takes {loaded.seconds:.1f} s to load"] if loaded.seconds >= SLOW else []
    return "; ".join([*took, *(f"imports {name} to be listed" for name in sorted(loaded.frameworks))])


def _reason(error: BaseException) -> str:
    """Return an error in one line that a terminal can show, with its hint."""
    try:
        text = f"{error.message}; {error.hint}" if isinstance(error, NstError) else f"{type(error).__name__}: {error}"
    except Exception:  # an error that cannot even say what it is
        text = type(error).__name__
    line = " ".join(text.split()).strip(":; ")
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
