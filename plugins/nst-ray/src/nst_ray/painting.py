"""What runs on the machines: one worker, a process that keeps its backend from picture to picture."""

from __future__ import annotations

import platform
import sys
from collections.abc import Sequence
from contextlib import suppress

from nst import Plugins, Recipe
from nst.errors import Findings
from nst.orders import Event, Order, Outcome, Preview
from nst.plugins.options import missing_modules
from nst.worker.painter import Painter

Painted = tuple[list[Event], Outcome]


class Unfit(Exception):  # noqa: N818 - not the order is wrong, nor the painter
    """Why this machine cannot paint what another may: it lacks a plugin, or what that needs."""


class Painting:
    """An actor. Its methods are called from the machine that has the list, whose module path is looked through last."""

    def __init__(self, path: Sequence[str] = ()) -> None:
        sys.path += [folder for folder in path if folder not in sys.path]
        self._plugins = Plugins.from_environment()
        self._painter = Painter(self._plugins)
        self._fit: set[str] = set()

    def where(self) -> str:
        """Return the machine's name."""
        return platform.node()

    def paint(self, order: Order) -> Painted:
        """Return an order's events and its outcome. Raises `Unfit`."""
        self._check(str(order.recipe.get("backend", Recipe.backend)))
        heard: list[Event] = []
        outcome = self._painter.paint(order, heard.append)
        return [event for event in heard if not isinstance(event, Preview)], outcome

    def _check(self, backend: str) -> None:
        if backend in self._fit:
            return
        findings = Findings()
        with suppress(AttributeError):
            spec = findings.attempt(lambda: self._plugins.find("backend", backend))
            findings.add(missing_modules(spec))
        if findings.errors:
            first = findings.errors[0]
            raise Unfit(f"{first.message} on {self.where()} ({first.hint})")
        self._fit.add(backend)
