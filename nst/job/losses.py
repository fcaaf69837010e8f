"""The losses of a recipe, with their layers and weights."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

from nst.engine.terms import WeightedLoss
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.fields import ExtraLoss, numbered
from nst.recipe.recipe import Recipe
from nst.specs import BackendSpec, LossSpec
from nst.vgg.layers import layer_shares

Used = list[tuple[LossSpec, WeightedLoss]]


def weighted_losses(recipe: Recipe, plugins: Plugins) -> Used:
    """Return every loss of the recipe; the second loss of the same name is called NAME 2."""
    chosen, backend = recipe.all_losses(), plugins.find("backend", recipe.backend)
    specs: list[LossSpec] = [plugins.find("loss", loss.name) for loss in chosen]
    names = numbered([spec.name for spec in specs])
    return [
        (spec, _weighted_loss(recipe, plugins, backend, spec, loss, name))
        for spec, loss, name in zip(specs, chosen, names, strict=True)
    ]


def _weighted_loss(
    recipe: Recipe, plugins: Plugins, backend: BackendSpec, spec: LossSpec, chosen: ExtraLoss, name: str
) -> WeightedLoss:
    selection = layer_shares(chosen.layers or recipe.usual_layers(spec.role))
    return WeightedLoss(
        name,
        _loss(plugins.load(spec), tuple(read_options(spec, chosen.options).items())),
        dict(zip(backend.select(selection), selection.values(), strict=True)),
        chosen.weight,
        whole=spec.shape == "whole",
        is_content=spec.role == "content",
        targeted=spec.role != "image",
        matched=spec.shape == "matched",
    )


@lru_cache(maxsize=64)
def _loss(factory: Callable[..., Any], options: tuple[tuple[str, Any], ...]) -> Any:
    """Make a loss, or return the one made before: a backend compiles the same losses once."""
    return factory(**dict(options))
