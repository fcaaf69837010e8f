"""The losses of a recipe, each made and put to use."""

from __future__ import annotations

from nst.engine.terms import WeightedLoss
from nst.plugins.host import Plugins
from nst.plugins.options import read_options
from nst.recipe.fields import ExtraLoss
from nst.recipe.recipe import Recipe
from nst.specs import LossSpec
from nst.vgg.layers import shares

Used = list[tuple[LossSpec, WeightedLoss]]


def weighted_losses(recipe: Recipe, plugins: Plugins) -> Used:
    """Every loss of the recipe; one that is used again has a number in its name."""
    found: Used = []
    for chosen in recipe.all_losses():
        spec: LossSpec = plugins.find("loss", chosen.name)
        before = sum(spec.name == other.name for other, _ in found)
        name = f"{spec.name} {before + 1}" if before else spec.name
        found.append((spec, _use(recipe, plugins, spec, chosen, name)))
    return found


def _use(recipe: Recipe, plugins: Plugins, spec: LossSpec, chosen: ExtraLoss, name: str) -> WeightedLoss:
    return WeightedLoss(
        name,
        plugins.load(spec)(**read_options(spec, chosen.options)),
        shares(chosen.layers or recipe.usual_layers(spec.role)),
        chosen.weight,
        whole=spec.shape == "whole",
        protects=spec.role == "content",
        targeted=spec.role != "image",
    )
