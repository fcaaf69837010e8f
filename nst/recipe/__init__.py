"""Represent every choice that decides the result, as data: recipe fields, presets, sizes and steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.recipe.recipe import FIELDS as FIELDS
    from nst.recipe.recipe import Recipe as Recipe
    from nst.recipe.recipe import flag as flag
    from nst.recipe.recipe import load_recipe as load_recipe
    from nst.recipe.recipe import preset as preset
    from nst.recipe.recipe import presets as presets
    from nst.recipe.recipe import read_fields as read_fields

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.recipe.recipe": (
            "FIELDS",
            "Recipe",
            "flag",
            "load_recipe",
            "preset",
            "presets",
            "read_fields",
        ),
    },
)
