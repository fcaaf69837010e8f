"""Asks one plugin what it offers, and checks every answer: a spec that would hurt later breaks its plugin now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields
from importlib import import_module
from types import ModuleType
from typing import Any

import pluggy

from nst import hookspecs
from nst.errors import NstError, unknown
from nst.specs import BackendSpec, ExecutorSpec, InitializerSpec, LossSpec, OptimizerSpec, Option, Spec, WeightSet

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

ITEMS: Mapping[str, type] = {"options": Option, "weights": WeightSet}
"""What the tuples of a spec hold, where it is not str."""

MOST = 1000
"""How many specs a hook may yield: a hook that yields for ever would fill the memory before its time is up."""


Offer = dict[str, list[Spec]]
"""What one plugin offers, by kind."""


def manager() -> pluggy.PluginManager:
    """One that knows our hooks."""
    empty = pluggy.PluginManager(hookspecs.PROJECT)
    empty.add_hookspecs(hookspecs)
    return empty


def ask(name: str, manager: pluggy.PluginManager) -> Offer:
    """What the module of one plugin offers, by kind. Raises `NstError`, and whatever the module raises.

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
    """What one plugin's own implementation yields. Asked by itself: pluggy could not say whose generator failed."""
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
    for each in fields(KINDS[kind]):
        _check_type(getattr(spec, each.name), each, f"{kind} '{spec.name}': {each.name}")
    if not (spec.name.strip() and spec.name.isprintable() and _is_reference(spec.factory)):
        raise NstError(f"{kind} {spec.name!r} needs a name and a factory 'package.module:attribute'")
    for source in _sources(spec):
        if not _is_reference(source):
            raise NstError(f"{kind} '{spec.name}' names '{source}', which is no 'package.module:attribute'")
    return spec


def _sources(spec: Spec) -> list[str]:
    """Where a backend's weights come from: its sets, and a file of the user's, if it takes any."""
    if not isinstance(spec, BackendSpec):
        return []
    return [*filter(None, [spec.files]), *(weights.source for weights in spec.weights)]


def _is_reference(text: str) -> bool:
    """Whether this is what `nst.specs.resolve` can read."""
    module, _, attribute = text.partition(":")
    return all(part.isidentifier() for part in [*module.split("."), attribute])


def _check_type(value: Any, declared: Field[Any], place: str) -> None:
    """Raises `NstError` for a value that is not of its default's type, or a tuple of something else."""
    wanted = str if declared.default is MISSING else type(declared.default)
    if not isinstance(value, wanted):
        raise NstError(f"{place} must be a {wanted.__name__}, not {value!r:.60}")
    item = ITEMS.get(declared.name, str)
    if isinstance(value, tuple) and not all(isinstance(each, item) for each in value):
        raise NstError(f"{place} must hold {item.__name__} only, not {value!r:.60}")
