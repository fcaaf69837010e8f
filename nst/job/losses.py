"""The losses of a recipe, with their layers and weights."""

from __future__ import annotations

from nst.engine.terms import WeightedLoss
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.fields import ExtraLoss, numbered
from nst.recipe.recipe import Recipe
from nst.specs import LossSpec
from nst.vgg.layers import shares

Used = list[tuple[LossSpec, WeightedLoss]]


def weighted_losses(recipe: Recipe, plugins: Plugins) -> Used:
    """Return every loss of the recipe; the second loss of the same name is called NAME 2."""
    chosen = recipe.all_losses()
    specs: list[LossSpec] = [plugins.find("loss", loss.name) for loss in chosen]
    names = numbered([spec.name for spec in specs])
    return [
        (spec, _weighted_loss(recipe, plugins, spec, loss, name))
        for spec, loss, name in zip(specs, chosen, names, strict=True)
    ]


def _weighted_loss(recipe: Recipe, plugins: Plugins, spec: LossSpec, chosen: ExtraLoss, name: str) -> WeightedLoss:
    return WeightedLoss(
        name,
        plugins.load(spec)(**read_options(spec, chosen.options)),
        shares(chosen.layers or recipe.usual_layers(spec.role)),
        chosen.weight,
        whole=spec.shape == "whole",
        is_content=spec.role == "content",
        targeted=spec.role != "image",
        matched=spec.shape == "matched",
    )
