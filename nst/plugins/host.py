"""Load the installed plugins, each apart from the others, and find a spec by its name.

A plugin is *installed* when its distribution has an entry point in the group `nst.v1`, and then *ok*, *disabled*,
*broken* or *other-api*. To add your own plugin, declare an entry point and implement a hook:

    # pyproject.toml                              # my_package/__init__.py
    [project.entry-points."nst.v1"]               from nst import OptimizerSpec, hookimpl
    my-plugin = "my_package"
                                                  @hookimpl
                                                  def nst_optimizers():
                                                      yield OptimizerSpec(name="mine", factory="my_package.mine:run")

No result depends on the order of plugins. A plain name means the spec of nst's own distributions, if one of them offers
it; between other distributions the user chooses.

A plugin is code with its user's rights. Any error that it raises makes only this plugin *broken*. Not undone are other
effects on the process: `os._exit`, a crash in C, threads that run on, signal handlers, `sys.path`, the locale.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from nst.errors import NstError, UserError, unknown
from nst.hookspecs import ENTRY_POINT_GROUP
from nst.plugins.discovery import EntryPoint, canonical, discover
from nst.plugins.loading import Loaded, load_plugin
from nst.plugins.validation import KINDS, manager
from nst.specs import Spec

__all__ = ["HOMES", "KINDS", "OURS", "OWN", "Plugin", "Plugins"]

OWN = "nst"

SLOW = 0.5
"""Seconds from which the list of plugins says that a plugin is slow to load."""

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
"""The distribution of each backend and executor of nst's own, for the hint what to install."""

OURS = frozenset({OWN, "nst-optimizers", "nst-initializers", "nst-jax", *HOMES.values()})
"""The distributions of the nst project. A plain name means their spec, even if other distributions offer it too."""


@dataclass
class Plugin:
    """One installed plugin: its entry point, its status, and the specs it offers, by kind.

    `reason` and `remedy` are empty unless it is broken or made for another API. `note` is a remark on a plugin that is
    ok: slow to load, imports a framework to be listed, offers a name that another distribution offers.
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

    `entry_points` replaces the installed ones (for tests). `disabled` names distributions that are not imported; "*"
    means all but nst's own. `strict` raises the error of a broken plugin.
    """

    def __init__(
        self, entry_points: Iterable[EntryPoint] | None = None, *, disabled: Sequence[str] = (), strict: bool = False
    ) -> None:
        self._strict = strict
        entries = discover() if entry_points is None else entry_points
        self.installed = [_unloaded(entry, disabled) for entry in entries]
        self._load()
        self._note_clashes()

    @classmethod
    def from_environment(cls, disabled: Sequence[str] = ()) -> Plugins:
        """Return the installed plugins; `NST_DISABLE_PLUGINS` and `NST_STRICT_PLUGINS` apply."""
        names = os.environ.get("NST_DISABLE_PLUGINS", "").split(",")
        strict = os.environ.get("NST_STRICT_PLUGINS", "") not in ("", "0")
        return cls(disabled=[*disabled, *(name.strip() for name in names if name.strip())], strict=strict)

    def _load(self) -> None:
        """Load each plugin. An error makes its plugin broken, and no other."""
        hooks = manager()
        for plugin in [plugin for plugin in self.installed if plugin.status == "ok"]:
            loaded = load_plugin(plugin.entry, hooks)
            if loaded.error is None:
                plugin.specs, plugin.note = loaded.offer, _note(loaded)
                continue
            if self._strict:
                loaded.error.add_note(f"in plugin {plugin.distribution} {plugin.entry.version}")
                raise loaded.error
            plugin.status, plugin.reason, plugin.remedy = "broken", _reason(loaded.error), _remedy(loaded.error, plugin)

    def _note_clashes(self) -> None:
        """Note on each plugin which of its names another distribution offers too. Plugins of nst keep their names."""
        owners: dict[tuple[str, str], set[str]] = {}
        for plugin, kind, spec in self._specs():
            owners.setdefault((kind, spec.name), set()).add(plugin.distribution)
        for plugin, kind, spec in self._specs():
            others = sorted(owners[kind, spec.name] - {plugin.distribution})
            if others and plugin.distribution not in OURS:
                clash = f"{kind} '{spec.name}' is offered by {', '.join(others)} too: write {_full_name(plugin, spec)}"
                plugin.note = f"{plugin.note}; {clash}" if plugin.note else clash

    def _specs(self) -> Iterator[tuple[Plugin, str, Spec]]:
        for kind in KINDS:
            yield from ((plugin, kind, spec) for plugin, spec in self.offered(kind))

    def offered(self, kind: str) -> Iterator[tuple[Plugin, Any]]:
        """Yield each spec of a kind, with the plugin that offers it."""
        for plugin in self.installed:
            for spec in plugin.specs.get(kind, ()):
                yield plugin, spec

    def find(self, kind: str, name: str) -> Any:
        """Find the spec of a `kind` by `name`, or by `distribution:name`.

        Of several specs with this plain name, that of nst's own distributions is returned. Raises `UserError` if no
        plugin offers the name, or several of other distributions do.
        """
        matches = [pair for pair in self.offered(kind) if name in (pair[1].name, _full_name(*pair))]
        matches = [pair for pair in matches if pair[0].distribution in OURS] or matches
        if len(matches) == 1:
            return matches[0][1]
        if matches:
            names = sorted({_full_name(*pair) for pair in matches})
            hint = f"say which: {' or '.join(names)}" if len(names) > 1 else "one distribution offers it twice"
            raise UserError(f"{kind} '{name}' is offered by {len(matches)} plugins", hint)
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
        owner = next((plugin for plugin, _, offered in self._specs() if offered is spec), None)
        origin = f" of {owner.distribution} {owner.entry.version}" if owner else ""
        home = spec.install or (owner.distribution if owner else spec.factory.partition(".")[0])
        return NstError(
            f"'{spec.name}'{origin} ({spec.factory}) cannot be loaded: {reason}",
            f"reinstall it: pip install --force-reinstall {home}",
        )

    def _absence(self, kind: str) -> str:
        """Return why a name may be missing: plugins that are not loaded, or no plugin of this kind."""
        rows = sorted((plugin.distribution, plugin.status) for plugin in self.installed if plugin.status != "ok")
        if rows:
            return f"(not loaded: {', '.join(f'{name}, {status}' for name, status in rows)}; see nst plugins list)"
        return "" if any(self.offered(kind)) else f"(no plugin offers any {kind}: pip install 'nst[torch]')"


def _unloaded(entry: EntryPoint, disabled: Sequence[str]) -> Plugin:
    """Return a plugin as its entry point describes it, before its module is imported."""
    if _is_disabled(entry.distribution, disabled):
        return Plugin(entry, "disabled")
    if entry.group != ENTRY_POINT_GROUP:
        reason = f"made for {entry.group}, this nst speaks {ENTRY_POINT_GROUP}"
        return Plugin(entry, "other-api", reason, f"pip install --upgrade nst {entry.distribution}")
    return Plugin(entry)


def _is_disabled(distribution: str, disabled: Sequence[str]) -> bool:
    if "*" in disabled and distribution != OWN:
        return True
    names = [name for name in disabled if name != "*"]
    return bool(names) and canonical(distribution) in map(canonical, names)


def _full_name(plugin: Plugin, spec: Spec) -> str:
    return f"{plugin.distribution}:{spec.name}"


def _remedy(error: BaseException, plugin: Plugin) -> str:
    remove = f"pip uninstall {plugin.distribution}"
    if plugin.entry.error:
        return f"pip install --force-reinstall {plugin.distribution}, or {remove}"
    if isinstance(error, ModuleNotFoundError):
        return f"pip install --upgrade {plugin.distribution}, or {remove}"
    return remove


def _note(loaded: Loaded) -> str:
    slow = [f"takes {loaded.seconds:.1f} s to load"] if loaded.seconds >= SLOW else []
    return "; ".join([*slow, *(f"imports {name} to be listed" for name in sorted(loaded.frameworks))])


def _reason(error: BaseException) -> str:
    """Return an error in one line that a terminal can show, with its hint."""
    try:
        text = f"{error.message}; {error.hint}" if isinstance(error, NstError) else f"{type(error).__name__}: {error}"
    except Exception:  # an error that cannot even say what it is
        text = type(error).__name__
    line = " ".join(text.split()).strip(":; ")
    shown = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in line)
    return shown if len(shown) <= LONGEST else f"{shown[:LONGEST]}…"
