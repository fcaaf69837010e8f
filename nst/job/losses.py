"""The losses of a recipe, with their layers and weights."""

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
    """Return every loss of the recipe; the second loss of the same name is called NAME 2."""
    losses: Used = []
    for chosen in recipe.all_losses():
        spec: LossSpec = plugins.find("loss", chosen.name)
        earlier = sum(spec.name == other.name for other, _ in losses)
        name = f"{spec.name} {earlier + 1}" if earlier else spec.name
        losses.append((spec, _weighted_loss(recipe, plugins, spec, chosen, name)))
    return losses


def _weighted_loss(recipe: Recipe, plugins: Plugins, spec: LossSpec, chosen: ExtraLoss, name: str) -> WeightedLoss:
    return WeightedLoss(
        name,
        plugins.load(spec)(**read_options(spec, chosen.options)),
        shares(chosen.layers or recipe.usual_layers(spec.role)),
        chosen.weight,
        whole=spec.shape == "whole",
        protects=spec.role == "content",
        targeted=spec.role != "image",
    )
