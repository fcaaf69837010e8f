"""Asks one plugin what it offers, and checks every answer: a spec that would hurt later breaks its plugin now."""

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
"""What a plugin can offer: the word for it, and the spec that hook `nst_<word>s` (or `-es`) yields."""

HOOKS = {"nst_backends": "backend", "nst_optimizers": "optimizer", "nst_initializers": "initializer"} | {
    "nst_losses": "loss",
    "nst_executors": "executor",
}

MOST = 1000
"""How many specs a hook may yield: a hook that yields for ever would fill the memory before its time is up."""


Offer = dict[str, list[Spec]]
"""What one plugin offers, by kind."""


def manager() -> pluggy.PluginManager:
    """One that knows our hooks."""
    empty = pluggy.PluginManager(hookspecs.PROJECT)
    empty.add_hookspecs(hookspecs)
    return empty


def collect_specs(name: str, manager: pluggy.PluginManager) -> Offer:
    """Collect the specs of one plugin's module, by kind. Raises `NstError`, and any error of the module.

    It leaves the manager again, so that no other meets it, or what its failure left.
    """
    if not all(part.isidentifier() for part in name.split(".")):
        raise NstError(f"its entry point names '{name}', which is not a module")
    module = import_module(name)
    try:
        manager.register(module)
        hooks = manager.get_hookcallers(module)
        if not hooks:
            raise NstError(f"{name} implements no hook", "is the function marked with @hookimpl?")
        return {HOOKS.get(hook.name, ""): list(_answers(hook, module)) for hook in hooks}
    finally:
        if manager.is_registered(module):
            manager.unregister(module)


def _answers(hook: Any, module: ModuleType) -> Iterable[Spec]:
    """Yield the specs of one plugin's own hook; called directly, since pluggy does not tell whose generator failed."""
    if not hook.has_spec():
        raise unknown("hook", hook.name, HOOKS)
    implementation = next(impl for impl in hook.get_hookimpls() if impl.plugin is module)
    answer = implementation.function()
    if answer is None or isinstance(answer, str):
        raise NstError(f"{hook.name} gave {answer!r}, not specs")
    specs: dict[str, Spec] = {}
    for each in answer:
        spec = _checked(each, HOOKS[hook.name])
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
    for field, named in (("options", spec.options), ("weights", getattr(spec, "weights", ()))):
        if len({each.name for each in named}) < len(named):
            raise NstError(f"{kind} '{spec.name}': {field} must have names of their own")
    return spec


def _references(spec: Spec) -> Iterable[str]:
    """Yield the references of a spec beside its factory: weight sources and other parts of a backend or optimizer."""
    match spec:
        case BackendSpec():
            return filter(None, [spec.files, spec.compressor, *(weights.source for weights in spec.weights)])
        case OptimizerSpec():
            return filter(None, [spec.state_bytes])
    return ()


def _is_reference(text: str) -> bool:
    """Whether this is what `nst.specs.resolve` can read."""
    module, _, attribute = text.partition(":")
    return all(part.isidentifier() for part in [*module.split("."), attribute])


_hints = cache(get_type_hints)


def _check_fields(declared: Any, kind: Any, place: str) -> None:
    for name, hint in _hints(kind).items():
        _check_value(getattr(declared, name), hint, f"{place}: {name}")


def _check_value(value: Any, hint: Any, place: str) -> None:
    """Raise `NstError` for a value that is not of its field's type, or contains another type."""
    origin, parts = get_origin(hint), get_args(hint)
    if origin is Literal:
        if value not in parts:
            raise NstError(f"{place} must be one of {', '.join(parts)}, not {value!r:.60}")
        return
    wanted = tuple if origin is tuple else hint | int if float in (hint, *parts) else hint
    if not isinstance(value, wanted):
        raise NstError(f"{place} must be of type {getattr(hint, '__name__', hint)}, not {value!r:.60}")
    for each in value if origin is tuple else ():
        if not isinstance(each, parts[0]):
            raise NstError(f"{place} must hold {parts[0].__name__} only, not {value!r:.60}")
        _check_value(each, parts[0], f"{place} '{getattr(each, 'name', each)}'")
    if is_dataclass(hint):
        _check_fields(value, hint, place)
