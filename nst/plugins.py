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
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import pluggy

from nst import hookspecs
from nst.entry_points import EntryPoint, discover
from nst.errors import NstError, UserError, unknown
from nst.specs import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, Spec

KINDS: Mapping[str, type[Spec]] = {
    "backend": BackendSpec,
    "optimizer": OptimizerSpec,
    "initializer": InitializerSpec,
    "loss": LossSpec,
}
"""What a plugin can offer: the word for it, and the spec that hook `nst_<word>s` (or `-es`) yields."""

HOOKS = {"nst_backends": "backend", "nst_optimizers": "optimizer", "nst_initializers": "initializer"} | {
    "nst_losses": "loss"
}

OWN = "nst"


@dataclass
class Plugin:
    """One installed plugin: where it comes from, how it is, and what it offers, by kind.

    `reason` and `remedy` are empty unless it is broken or made for another API.
    """

    entry: EntryPoint
    status: Literal["ok", "disabled", "broken", "other-api"] = "ok"
    reason: str = ""
    remedy: str = ""
    specs: dict[str, list[Spec]] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """The pip name of the distribution."""
        return self.entry.distribution


class Plugins:
    """The plugins of one process, loaded once.

    `entry_points` replaces what is installed (tests use it), `disabled` names distributions to leave alone ("*" for all
    but nst's own), `strict` lets a broken plugin's exception through.
    """

    def __init__(
        self,
        entry_points: Iterable[EntryPoint] | None = None,
        *,
        disabled: Sequence[str] = (),
        strict: bool = False,
    ) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._strict = strict
        entries = discover() if entry_points is None else entry_points
        self.installed = [self._load(entry, disabled) for entry in entries]

    @classmethod
    def from_environment(cls, disabled: Sequence[str] = ()) -> Plugins:
        """The installed plugins, as `NST_DISABLE_PLUGINS=a,b` and `NST_STRICT_PLUGINS=1` say."""
        names = os.environ.get("NST_DISABLE_PLUGINS", "").split(",")
        off = [*disabled, *(name.strip() for name in names if name.strip())]
        return cls(disabled=off, strict=os.environ.get("NST_STRICT_PLUGINS", "") not in ("", "0"))

    def _load(self, entry: EntryPoint, disabled: Sequence[str]) -> Plugin:
        plugin = Plugin(entry)
        if entry.distribution in disabled or ("*" in disabled and entry.distribution != OWN):
            plugin.status = "disabled"
        elif entry.group != hookspecs.ENTRY_POINT_GROUP:
            plugin.status = "other-api"
            plugin.reason = f"made for {entry.group}, this nst speaks {hookspecs.ENTRY_POINT_GROUP}"
            plugin.remedy = f"pip install --upgrade nst {entry.distribution}"
        else:
            self._guarded(plugin)
        return plugin

    def _guarded(self, plugin: Plugin) -> None:
        """Load, register and ask one plugin; whatever it raises becomes its own row and nobody else's trouble."""
        try:
            plugin.specs = self._ask(plugin.entry)
        except (Exception, SystemExit) as error:
            self._manager.unregister(name=_key(plugin.entry)) if self._manager.has_plugin(_key(plugin.entry)) else None
            if self._strict:
                raise
            plugin.status = "broken"
            plugin.reason = f"{type(error).__name__}: {error}".strip(": ")
            plugin.remedy = f"pip uninstall {plugin.distribution}"

    def _ask(self, entry: EntryPoint) -> dict[str, list[Spec]]:
        module = import_module(entry.module)
        self._manager.register(module, name=_key(entry))
        specs: dict[str, list[Spec]] = {}
        for hook in self._manager.get_hookcallers(module) or []:
            if not hook.has_spec():
                raise unknown("hook", hook.name, HOOKS)
            kind = HOOKS[hook.name]
            specs[kind] = [_checked(spec, kind) for spec in _answers(hook, module)]
        return specs

    def offered(self, kind: str) -> Iterator[tuple[Plugin, Any]]:
        """Every plugin that offers something of a kind, with each spec of that kind."""
        for plugin in self.installed:
            for spec in plugin.specs.get(kind, ()):
                yield plugin, spec

    def find(self, kind: str, name: str) -> Any:
        """The spec of a `kind` by `name`, or by `distribution:name`. Raises `UserError` for none or several."""
        found = [
            (plugin, spec)
            for plugin, spec in self.offered(kind)
            if name in (spec.name, f"{plugin.distribution}:{spec.name}")
        ]
        if len(found) == 1:
            return found[0][1]
        if found:
            spellings = " or ".join(f"{plugin.distribution}:{spec.name}" for plugin, spec in found)
            raise UserError(f"{kind} '{name}' is offered by {len(found)} plugins", f"say which: {spellings}")
        raise unknown(kind, name, {spec.name for _, spec in self.offered(kind)}, self._absence(kind))

    def _absence(self, kind: str) -> str:
        """Why something may be missing: nothing installed, or the plugins that could not be loaded."""
        broken = [plugin.distribution for plugin in self.installed if plugin.status in ("broken", "other-api")]
        if broken:
            return f"(not loaded: {', '.join(broken)}; see nst plugins list)"
        return "" if any(self.offered(kind)) else f"(no plugin offers any {kind}: pip install 'nst[torch]')"


def _key(entry: EntryPoint) -> str:
    return f"{entry.distribution}:{entry.name}"


def _answers(hook: Any, module: ModuleType) -> list[Any]:
    """What one plugin's own implementation yields. Asked by itself: pluggy could not say whose generator failed."""
    implementation = next(impl for impl in hook.get_hookimpls() if impl.plugin is module)
    answer = implementation.function()
    if answer is None or isinstance(answer, str):
        raise NstError(f"{hook.name} gave {answer!r}, not specs")
    return list(answer)


def _checked(spec: Any, kind: str) -> Spec:
    if not isinstance(spec, KINDS[kind]):
        raise NstError(f"a {kind} must be a {KINDS[kind].__name__}, not {spec!r}")
    if not spec.name or ":" not in spec.factory:
        raise NstError(f"{kind} '{spec.name}' needs a name and a factory 'package.module:attribute'")
    return spec
