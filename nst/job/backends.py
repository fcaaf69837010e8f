"""The backends of a job, one for each choice of weights, built on first use."""

from __future__ import annotations

import time
from collections.abc import MutableMapping
from dataclasses import dataclass
from typing import Any

from nst.engine import answers
from nst.estimate.flops import Outline, outline
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.recipe import Recipe
from nst.specs import BackendSpec
from nst.weights.selection import Choice


@dataclass(frozen=True)
class Opened:
    """A backend, the layer outline of its VGG network (None for others), and the SHA-256 of its weights or ""."""

    backend: Any
    outline: Outline | None
    digest: str = ""


class BackendCache:
    """The backends of one recipe, by weights; recipes that share the mapping `loaded` share backends.

    `seconds` is the time spent on building backends.
    """

    def __init__(
        self, recipe: Recipe, spec: BackendSpec, plugins: Plugins, loaded: MutableMapping[Any, Opened] | None = None
    ) -> None:
        self._recipe, self._spec, self._plugins = recipe, spec, plugins
        self._loaded = {} if loaded is None else loaded
        self._opened: dict[str, Opened] = {}
        self.seconds = 0.0

    def open(self, choice: Choice) -> Opened:
        """Return the backend with these weights, from the cache if the weight file is unchanged.

        Raises `NstError` for unreadable weights, and any error of the backend.
        """
        if choice.name not in self._opened:
            began = time.perf_counter()
            self._opened[choice.name] = self._shared(choice)
            self.seconds += time.perf_counter() - began
        return self._opened[choice.name]

    def _shared(self, choice: Choice) -> Opened:
        recipe, options = self._recipe, self._options()
        key = recipe.backend, choice.name, choice.stamp(), recipe.device, tuple(sorted(options.items()))
        if key not in self._loaded:
            self._loaded[key] = self._load(choice, options)
        return self._loaded[key]

    def _options(self) -> dict[str, Any]:
        options = read_options(self._spec, self._recipe.backend_options)
        if self._spec.kind == "feature":
            options |= {"pooling": self._recipe.pooling, "precision": self._recipe.precision}
            options |= {"padding": padding} if (padding := self._spec.pads(self._recipe.padding)) else {}
        return options

    def _load(self, choice: Choice, options: dict[str, Any]) -> Opened:
        network = choice.load()  # first: a bad file is found before the framework is imported
        made = self._plugins.load(self._spec)(network, device=self._recipe.device, **options)
        backend = answers.backend(made, self._spec.kind)
        return Opened(backend, outline(network), getattr(network, "sha256", "") or choice.digest())
