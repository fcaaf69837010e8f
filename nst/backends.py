"""The backends of a job: one for each choice of weights, opened when first asked for."""

from __future__ import annotations

import time
from typing import Any

from nst.cost import Outline, outline
from nst.options import read_options
from nst.plugins import Plugins
from nst.recipe import Recipe
from nst.specs import BackendSpec
from nst.weights import Choice


class Backends:
    """`outlines` are those of the networks opened so far, by the name of their weights; `seconds` what that took."""

    def __init__(self, plugins: Plugins, spec: BackendSpec, recipe: Recipe) -> None:
        self._plugins, self._spec, self._recipe = plugins, spec, recipe
        self._opened: dict[str, Any] = {}
        self.outlines: dict[str, Outline | None] = {}
        self.seconds = 0.0

    def open(self, choice: Choice) -> Any:
        """The backend with these weights; the first of all is the first heavy import."""
        if choice.name not in self._opened:
            began = time.perf_counter()
            network = choice.source.load()  # first: a bad file is found before the framework is imported
            self._opened[choice.name] = self._made(network)
            self.outlines[choice.name] = outline(network)
            self.seconds += time.perf_counter() - began
        return self._opened[choice.name]

    def _made(self, network: Any) -> Any:
        recipe = self._recipe
        pooling = {"pooling": recipe.pooling} if self._spec.kind == "feature" else {}
        options = read_options(self._spec, recipe.backend_options)
        return self._plugins.load(self._spec)(network, device=recipe.device, **pooling, **options)
