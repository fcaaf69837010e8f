"""Import each public name of a package from its module at first use (PEP 562)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def attach(package: str, modules: Mapping[str, Sequence[str]]) -> tuple[Callable[[str], Any], Callable[[], list[str]]]:
    """Return `__getattr__` and `__dir__` for `package`, whose public names are given by the module that defines them.

    Importing the package then imports none of these modules. An unknown name raises `AttributeError`.
    """
    homes = {name: module for module, names in modules.items() for name in names}

    def get(name: str) -> Any:
        if name not in homes:
            raise AttributeError(f"module '{package}' has no attribute '{name}'")
        from importlib import import_module

        return getattr(import_module(homes[name]), name)

    return get, lambda: sorted(homes)
