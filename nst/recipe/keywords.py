"""The fields of a recipe as the keywords of a call, typed for editors and type checkers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypedDict

from nst.recipe.fields import ExtraLoss
from nst.specs import OptionValue

Selection = str | Sequence[str] | Mapping[str, float]
Options = Mapping[str, OptionValue]
Loss = str | ExtraLoss | Mapping[str, object]


class RecipeKeywords(TypedDict, total=False):
    """Every field of `nst.Recipe`, with the types that a person writes; see `nst.Recipe` for their meaning."""

    backend: str
    weights: str | Path | Sequence[str | Path]
    device: str
    precision: str
    backend_options: Options
    size: int
    sizes: int | Sequence[int]
    levels: int
    steps: int | Sequence[int]
    content_layers: Selection
    style_layers: Selection
    content_weight: float
    style_weight: float
    tv_weight: float
    range_weight: float
    style_loss: str
    style_loss_options: Options
    content_loss: str
    content_loss_options: Options
    losses: Loss | Sequence[Loss]
    pooling: str
    padding: str
    bleed: int
    optimizer: str
    optimizer_options: Options
    init: str | Path
    init_options: Options
    seed: int
    average: float
    until: float
    tile: int | str
    style_blend: Sequence[float]
    style_scale: float | Sequence[float]
    color: str
