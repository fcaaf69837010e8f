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
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import MISSING, Field, dataclass, field, fields
from importlib import import_module
from types import ModuleType
from typing import Any, Literal

import pluggy

from nst import hookspecs
from nst.entry_points import EntryPoint, canonical, discover
from nst.errors import NstError, UserError, unknown
from nst.specs import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, Option, Spec, WeightSet

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

ITEMS: Mapping[str, type] = {"options": Option, "weights": WeightSet}
"""What the tuples of a spec hold, where it is not str."""

OWN = "nst"

HOMES: Mapping[str, str] = {
    "torch-vgg19": "nst-torch",
    "torch-vgg16": "nst-torch",
    "keras-vgg19": "nst-keras",
    "keras-vgg16": "nst-keras",
    "tfhub-fast": "nst-tfhub",
}
"""The distributions of our own that offer a backend, for telling who lacks one what to install."""


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
        self._strict = strict
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        entries = discover() if entry_points is None else entry_points
        off = frozenset(map(canonical, disabled))
        self.installed = [self._load(entry, off) for entry in entries]

    @classmethod
    def from_environment(cls, disabled: Sequence[str] = ()) -> Plugins:
        """The installed plugins, as `NST_DISABLE_PLUGINS=a,b` and `NST_STRICT_PLUGINS=1` say."""
        names = os.environ.get("NST_DISABLE_PLUGINS", "").split(",")
        off = [*disabled, *(name.strip() for name in names if name.strip())]
        return cls(disabled=off, strict=os.environ.get("NST_STRICT_PLUGINS", "") not in ("", "0"))

    def _load(self, entry: EntryPoint, disabled: Collection[str]) -> Plugin:
        plugin = Plugin(entry)
        if canonical(entry.distribution) in disabled or ("*" in disabled and entry.distribution != OWN):
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
            plugin.specs = _ask(plugin.entry, self._manager)
        except (Exception, SystemExit) as error:
            if self._strict:
                raise
            plugin.status = "broken"
            plugin.reason = _reason(error)
            plugin.remedy = f"pip uninstall {plugin.distribution}"

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
            spellings = sorted({f"{plugin.distribution}:{spec.name}" for plugin, spec in found})
            hint = f"say which: {' or '.join(spellings)}" if len(spellings) > 1 else "one distribution offers it twice"
            raise UserError(f"{kind} '{name}' is offered by {len(found)} plugins", hint)
        home = HOMES.get(name, "")
        if home and self.installed and all(plugin.distribution != home for plugin in self.installed):
            raise UserError(f"{kind} '{name}' is not installed", f"pip install {home}")
        raise unknown(kind, name, {spec.name for _, spec in self.offered(kind)}, self._absence(kind))

    def _absence(self, kind: str) -> str:
        """Why something may be missing: nothing installed, or the plugins that could not be loaded."""
        rows = sorted((each.distribution, each.status) for each in self.installed if each.status != "ok")
        if rows:
            return f"(not loaded: {', '.join(f'{name}, {status}' for name, status in rows)}; see nst plugins list)"
        return "" if any(self.offered(kind)) else f"(no plugin offers any {kind}: pip install 'nst[torch]')"


def _reason(error: BaseException) -> str:
    """An error in one line, with its hint."""
    text = f"{error.message}; {error.hint}" if isinstance(error, NstError) else f"{type(error).__name__}: {error}"
    return " ".join(text.split()).strip(":; ")


def _ask(entry: EntryPoint, manager: pluggy.PluginManager) -> dict[str, list[Spec]]:
    """What one plugin offers. It leaves the manager again, so that no other meets it, or what its failure left."""
    if not all(part.isidentifier() for part in entry.module.split(".")):
        raise NstError(f"its entry point names '{entry.module}', which is no module")
    module = import_module(entry.module)
    try:
        manager.register(module)
        hooks = manager.get_hookcallers(module)
        if not hooks:
            raise NstError(f"{entry.module} implements no hook", "is the function marked with @hookimpl?")
        return {HOOKS.get(hook.name, ""): _answers(hook, module) for hook in hooks}
    finally:
        if manager.is_registered(module):
            manager.unregister(module)


def _answers(hook: Any, module: ModuleType) -> list[Spec]:
    """What one plugin's own implementation yields. Asked by itself: pluggy could not say whose generator failed."""
    if not hook.has_spec():
        raise unknown("hook", hook.name, HOOKS)
    implementation = next(impl for impl in hook.get_hookimpls() if impl.plugin is module)
    answer = implementation.function()
    if answer is None or isinstance(answer, str):
        raise NstError(f"{hook.name} gave {answer!r}, not specs")
    specs = [_checked(spec, HOOKS[hook.name]) for spec in answer]
    names = [spec.name for spec in specs]
    if twice := [name for name in names if names.count(name) > 1]:
        raise NstError(f"{hook.name} offers '{twice[0]}' {names.count(twice[0])} times")
    return specs


def _checked(spec: Any, kind: str) -> Spec:
    if not isinstance(spec, KINDS[kind]):
        raise NstError(f"each {kind} must be of type {KINDS[kind].__name__}, not {spec!r:.60}")
    for each in fields(KINDS[kind]):
        _check_type(getattr(spec, each.name), each, f"{kind} '{spec.name}': {each.name}")
    module, _, attribute = spec.factory.partition(":")
    if not (spec.name.strip() and all(part.isidentifier() for part in [*module.split("."), attribute])):
        raise NstError(f"{kind} '{spec.name}' needs a name and a factory 'package.module:attribute'")
    return spec


def _check_type(value: Any, declared: Field[Any], place: str) -> None:
    """Raises `NstError` for a value that is not of its default's type, or a tuple of something else."""
    wanted = str if declared.default is MISSING else type(declared.default)
    if not isinstance(value, wanted):
        raise NstError(f"{place} must be a {wanted.__name__}, not {value!r:.60}")
    item = ITEMS.get(declared.name, str)
    if isinstance(value, tuple) and not all(isinstance(each, item) for each in value):
        raise NstError(f"{place} must hold {item.__name__} only, not {value!r:.60}")
