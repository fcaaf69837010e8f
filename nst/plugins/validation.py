"""Collect the specs of one plugin and validate each field: an invalid spec makes its plugin broken."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import is_dataclass
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any, Literal, get_args, get_origin, get_type_hints

import pluggy

from nst import hookspecs
from nst.errors import NstError, unknown
from nst.specs import BackendSpec, ExecutorSpec, InitializerSpec, LossSpec, OptimizerSpec, Spec

KINDS: Mapping[str, type[Spec]] = {
    "backend": BackendSpec,
    "optimizer": OptimizerSpec,
    "initializer": InitializerSpec,
    "loss": LossSpec,
    "executor": ExecutorSpec,
}
"""The type of spec by its kind; the hook `nst_<kind>s` (or `-es`) yields it."""

HOOKS = {"nst_backends": "backend", "nst_optimizers": "optimizer", "nst_initializers": "initializer"} | {
    "nst_losses": "loss",
    "nst_executors": "executor",
}

MOST = 1000
"""The number of specs a hook may yield. A hook that yields without end would fill the memory."""


Offer = dict[str, list[Spec]]
"""The specs of one plugin, by kind."""


def manager() -> pluggy.PluginManager:
    """Return a plugin manager with the hooks of nst and no plugins."""
    hooks = pluggy.PluginManager(hookspecs.PROJECT)
    hooks.add_hookspecs(hookspecs)
    return hooks


def collect_specs(name: str, manager: pluggy.PluginManager) -> Offer:
    """Collect the specs of one plugin's module, by kind. Raises `NstError`, and any error of the module.

    The module is unregistered afterwards, so its failure has no effect on the next plugin.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        raise NstError(f"its entry point names '{name}', which is not a module")
    module = import_module(name)
    try:
        manager.register(module)
        hooks = manager.get_hookcallers(module)
        if not hooks:
            raise NstError(f"{name} implements no hook", "is the function marked with @hookimpl?")
        return {HOOKS.get(hook.name, ""): list(_specs(hook, module)) for hook in hooks}
    finally:
        if manager.is_registered(module):
            manager.unregister(module)


def _specs(hook: Any, module: ModuleType) -> Iterable[Spec]:
    """Return the specs of one plugin's hook.

    The hook is called directly, because pluggy does not report which plugin's generator failed.
    """
    if not hook.has_spec():
        raise unknown("hook", hook.name, HOOKS)
    implementation = next(impl for impl in hook.get_hookimpls() if impl.plugin is module)
    answer = implementation.function()
    if answer is None or isinstance(answer, str):
        raise NstError(f"{hook.name} gave {answer!r}, not specs")
    specs: dict[str, Spec] = {}
    for item in answer:
        spec = _checked(item, HOOKS[hook.name])
        if spec.name in specs:
            raise NstError(f"{hook.name} offers '{spec.name}' twice")
        if len(specs) == MOST:
            raise NstError(f"{hook.name} offers more than {MOST} specs")
        specs[spec.name] = spec
    return specs.values()


def _checked(spec: Any, kind: str) -> Spec:
    if not isinstance(spec, KINDS[kind]):
        raise NstError(f"each {kind} must be of type {KINDS[kind].__name__}, not {spec!r:.60}")
    _check_fields(spec, KINDS[kind], f"{kind} '{spec.name}'")
    if not (spec.name.strip() and spec.name.isprintable() and _is_reference(spec.factory)):
        raise NstError(f"{kind} {spec.name!r} needs a name and a factory 'package.module:attribute'")
    if ":" in spec.name:
        raise NstError(f"{kind} '{spec.name}' has a colon in its name", "a colon separates distribution and name")
    for reference in _references(spec):
        if not _is_reference(reference):
            raise NstError(f"{kind} '{spec.name}' names '{reference}', which is no 'package.module:attribute'")
    for field, items in (("options", spec.options), ("weights", getattr(spec, "weights", ()))):
        if len({item.name for item in items}) < len(items):
            raise NstError(f"{kind} '{spec.name}': {field} must have different names")
    return spec


def _references(spec: Spec) -> Iterable[str]:
    """Return the references of a spec beside its factory, such as weight sources."""
    match spec:
        case BackendSpec():
            return filter(None, [spec.files, spec.compressor, *(weights.source for weights in spec.weights)])
        case OptimizerSpec():
            return filter(None, [spec.state_bytes])
    return ()


def _is_reference(text: str) -> bool:
    """Return whether the text has the form `package.module:attribute`."""
    module, _, attribute = text.partition(":")
    return all(part.isidentifier() for part in [*module.split("."), attribute])


_hints = cache(get_type_hints)


def _check_fields(declared: Any, kind: Any, place: str) -> None:
    for name, hint in _hints(kind).items():
        _check_value(getattr(declared, name), hint, f"{place}: {name}")


def _check_value(value: Any, hint: Any, place: str) -> None:
    """Raise `NstError` for a value that does not have its field's type, or contains a value of another type."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in parts:
            raise NstError(f"{place} must be one of {', '.join(parts)}, not {value!r:.60}")
        return
    expected = tuple if origin is tuple else hint | int if float in (hint, *parts) else hint
    if not isinstance(value, expected):
        raise NstError(f"{place} must be of type {getattr(hint, '__name__', hint)}, not {value!r:.60}")
    for item in value if origin is tuple else ():
        if not isinstance(item, parts[0]):
            raise NstError(f"{place} must contain only {parts[0].__name__}, not {value!r:.60}")
        _check_value(item, parts[0], f"{place} '{getattr(item, 'name', item)}'")
    if is_dataclass(hint):
        _check_fields(value, hint, place)
