"""Define the recipe: every choice that decides the result, beside the input images.

`Recipe` defines all defaults. Each field has its help text and its reader, so that the command line, the
TOML files and Python share one list of options. A recipe is data: `nst.job.validation` checks it, `nst.job` runs it.
"""

from __future__ import annotations

import dataclasses
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, asdict, dataclass, field, replace
from importlib import resources
from pathlib import Path
from typing import Any

from nst.errors import UserError, raise_all, unknown
from nst.geometry import IMAGE
from nst.recipe import fields
from nst.recipe.fields import ExtraLoss
from nst.specs import BackendSpec, OptionValue


def option(default: Any, read: Callable[[Any], Any], metavar: str, help: str) -> Any:
    """Declare a recipe field: its default, the reader of its values, and its help text."""
    metadata = {"read": read, "metavar": metavar, "help": help}
    if isinstance(default, dict):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


STYLE_LAYERS = {"relu1_1": 1.0, "relu2_1": 1.0, "relu3_1": 1.0, "relu4_1": 1.0, "relu5_1": 1.0}


ENGINE_FIELDS = ("backend", "weights", "device", "precision", "backend_options", "pooling", "padding")
"""The recipe fields that select another network."""


@dataclass(frozen=True)
class Recipe:
    """The parameters of Gatys' method and of the engine.

    Values are data or the text of the command line: `Recipe(style_layers="relu1_1=1,relu4_1=2")`.
    Raises `UserError` with every value that cannot be read.
    """

    backend: str = option("torch-vgg19", fields.text, "NAME", "network and framework (see nst plugins list)")
    weights: tuple[str, ...] = option(
        ("auto",),
        fields.names,
        "NAME|PATH[,…]",
        "auto, compact, imagenet, or a weight file in nst's format; with several names, the last is used for the "
        "final size and the first for the smaller ones",
    )
    device: str = option("auto", fields.text, "NAME", "auto, cpu, cuda or mps")
    precision: str = option("auto", fields.text, "KIND", "auto, float32 or bfloat16; auto is the faster one here")
    backend_options: Mapping[str, OptionValue] = option(
        {}, fields.settings, "NAME=VALUE…", "options of the backend (see nst plugins show NAME)"
    )
    size: int = option(512, fields.count, "PIXELS", "long side of the result, in pixels")
    sizes: tuple[int, ...] = option(
        (), fields.counts, "N,N,…", "long side at each stage, the smallest first; in place of --size and --levels"
    )
    levels: int = option(
        0,
        fields.whole,
        "N",
        "how many sizes to paint, each √2 times the one before, up to --size; 1 is --size alone (default: from 128 on)",
    )
    steps: tuple[int, ...] = option(
        (),
        fields.counts,
        "N[,N…]",
        "steps in all, or a number for each of --sizes (default: 50 at the first size, then fewer)",
    )
    content_layers: Mapping[str, float] = option(
        {"relu4_2": 1.0}, fields.selection, "L=W,…", "layers at which content is compared, with their weights"
    )
    style_layers: Mapping[str, float] = option(
        STYLE_LAYERS, fields.selection, "L=W,…", "layers at which style is compared, with their weights"
    )
    content_weight: float = option(20.0, fields.number, "ALPHA", "how firmly the photograph is kept; 0 leaves it out")
    style_weight: float = option(100.0, fields.number, "BETA", "how strongly the style pulls; 0 leaves it out")
    tv_weight: float = option(
        0.0, fields.number, "WEIGHT", "penalty on differences between neighboring pixels, against grain"
    )
    range_weight: float = option(
        1000.0, fields.number, "WEIGHT", "penalty on values beyond 0..1, which the finished picture clips"
    )
    style_loss: str = option("gram", fields.text, "NAME", "how style is compared: gram, wasserstein, mean-std, …")
    style_loss_options: Mapping[str, OptionValue] = option(
        {}, fields.settings, "NAME=VALUE…", "options of the style loss (see nst plugins show NAME)"
    )
    content_loss: str = option("content", fields.text, "NAME", "how content is compared: content, content-cosine, …")
    content_loss_options: Mapping[str, OptionValue] = option(
        {}, fields.settings, "NAME=VALUE…", "options of the content loss (see nst plugins show NAME)"
    )
    losses: tuple[ExtraLoss, ...] = option(
        (),
        fields.losses,
        "NAME=WEIGHT[@L=W,…]",
        "one more loss with its weight and layers, such as histogram=50@relu4_1,relu5_1; may be repeated",
    )
    pooling: str = option("max", fields.text, "KIND", "max or average")
    padding: str = option(
        "auto",
        fields.text,
        "KIND",
        "what the network sees past the border: zero, reflect or replicate; auto is the backend's usual one",
    )
    bleed: int = option(
        8,
        fields.whole,
        "PIXELS",
        "paint this many pixels beyond each border and cut them off, so that no frame is left",
    )
    optimizer: str = option("lbfgs", fields.text, "NAME", "lbfgs, adam, laplacian-rmsprop or scipy-lbfgs")
    optimizer_options: Mapping[str, OptionValue] = option(
        {}, fields.settings, "NAME=VALUE…", "options of the optimizer, such as lr=0.02"
    )
    init: str = option(
        "style-stats",
        fields.text,
        "NAME|FILE",
        "what to start from: style-stats (the content in the styles' colors), content, noise, another initializer, "
        "or a picture",
    )
    init_options: Mapping[str, OptionValue] = option(
        {},
        fields.settings,
        "NAME=VALUE…",
        "options of the initializer, such as ratio=0.6 match=content; a file that exists is never read as an option",
    )
    seed: int = option(0, fields.whole, "N", "seed of everything random")
    average: float = option(
        0.0,
        fields.fraction,
        "DECAY",
        "the result is a running mean that keeps this share of itself at each step; 0 takes the best image",
    )
    until: float = option(
        0.0,
        fields.fraction,
        "SHARE",
        "end a size early when 10 steps lower the loss by less than this share, such as 0.001; 0 never does",
    )
    tile: str = option(
        "auto", fields.tile, "auto|PIXELS|off", "compute in tiles of this side; auto does so when memory is short"
    )
    style_blend: tuple[float, ...] = option((), fields.shares, "W,W,…", "share of each style (default: equal)")
    style_scale: tuple[float, ...] = option(
        (1.0,),
        fields.scales,
        "FACTOR[,…]",
        "size of the strokes: below 1 finer, above 1 coarser; one factor for all styles, or one each",
    )
    color: str = option(
        "style", fields.text, "MODE", "whose colors: style, content, luminance, lab, match-mean or match-histogram"
    )

    def __post_init__(self) -> None:
        values = {name: getattr(self, name) for name in FIELDS}
        canonical, errors = read_fields(values)
        raise_all(errors)
        for name, value in canonical.items():
            object.__setattr__(self, name, value)
        if self.sizes:
            object.__setattr__(self, "size", self.sizes[-1])

    def override(self, **values: Any) -> Recipe:
        """Return this recipe with other values.

        A new `size` scales the recipe's `sizes`, and new `levels` replace them; the number of steps stays.
        """
        return replace(self, **{**self._schedule(values), **values})

    def _schedule(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Return the recipe's `sizes` and `steps`, adapted to a new `size` or new `levels`."""
        if not self.sizes or "sizes" in values:
            return {}
        if "levels" in values:
            return {"sizes": (), "steps": (sum(self.steps),) if self.steps else ()}
        size = read_fields({"size": values.get("size", self.size)})[0].get("size", self.size)
        return {"sizes": tuple(max(1, round(length * size / self.size)) for length in self.sizes)}

    def on(self, backend: BackendSpec) -> Recipe:
        """Return this recipe for a backend: with the backend's own layers, where the recipe has the default ones."""
        usual, layers = Recipe(), {"style_layers": backend.style_layers, "content_layers": backend.content_layers}
        own: dict[str, Any] = {
            name: dict.fromkeys(names, 1.0)
            for name, names in layers.items()
            if names and getattr(self, name) == getattr(usual, name)
        }
        return replace(self, **own)

    def all_losses(self) -> list[ExtraLoss]:
        """Return all losses of the recipe, including losses on pixels."""
        return [
            ExtraLoss(self.style_loss, self.style_weight, self.style_layers, self.style_loss_options),
            ExtraLoss(self.content_loss, self.content_weight, self.content_layers, self.content_loss_options),
            *self.losses,
            ExtraLoss("nst:total-variation", self.tv_weight),
            ExtraLoss("nst:range", self.range_weight),
        ]

    def usual_layers(self, role: str) -> Mapping[str, float]:
        """Return the default layers of a loss, by its role."""
        return {"style": self.style_layers, "content": self.content_layers}.get(role, {IMAGE: 1.0})

    def selections(self) -> dict[str, Mapping[str, float]]:
        """Return the layer selections of the losses with a weight, by option; a loss on the image alone has none.

        The second `--loss` of the same name is `--loss NAME 2`.
        """
        losses = {"--content-layers": (self.content_weight, self.content_layers)}
        losses |= {"--style-layers": (self.style_weight, self.style_layers)}
        options = fields.numbered([f"--loss {loss.name}" for loss in self.losses])
        extra = [pair for pair in zip(options, self.losses, strict=True) if {*pair[1].layers} - {IMAGE}]
        losses |= {option: (loss.weight, loss.layers) for option, loss in extra}
        return {option: selection for option, (weight, selection) in losses.items() if weight}

    def layers(self) -> tuple[str, ...]:
        """Return all layers that the losses use, without duplicates."""
        return tuple(dict.fromkeys(name for selection in self.selections().values() for name in selection))

    def departures(self) -> dict[str, Any]:
        """Return the fields that differ from the defaults, as plain data."""
        usual = Recipe().to_dict()
        return {name: value for name, value in self.to_dict().items() if value != usual[name]}

    def to_dict(self) -> dict[str, Any]:
        """Return plain data for JSON or TOML."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


FIELDS: Mapping[str, Field[Any]] = {spec.name: spec for spec in dataclasses.fields(Recipe)}
"""The recipe's fields by name, in order; `metadata` holds `read`, `metavar` and `help`."""


SEVERAL = (fields.settings, fields.losses)
"""Readers of fields that the command line takes one item at a time: `--loss A=1 --loss B=2`."""


def flag(name: str) -> str:
    """Return the command-line spelling of a recipe field: `optimizer_options` is `--optimizer-option`."""
    if FIELDS[name].metadata["read"] in SEVERAL:
        name = name.removesuffix("es" if name.endswith("sses") else "s")
    return "--" + name.replace("_", "-")


def read_fields(values: Mapping[str, Any]) -> tuple[dict[str, Any], list[UserError]]:
    """Return the canonical form of all valid `values`, and an error for each invalid one."""
    good: dict[str, Any] = {}
    errors: list[UserError] = []
    for name, value in values.items():
        try:
            good[name] = _read(name, value)
        except UserError as error:
            errors.append(error)
    return good, errors


def _read(name: str, value: Any) -> Any:
    if name not in FIELDS:
        raise unknown("recipe field", name, FIELDS)
    try:
        return FIELDS[name].metadata["read"](value)
    except UserError as error:
        raise UserError(f"{flag(name)}: {error.message}", error.hint or FIELDS[name].metadata["help"]) from None


def presets() -> dict[str, str]:
    """Return the names of the presets, each with its first comment line."""
    folder = resources.files("nst.recipe") / "presets"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".toml")), key=lambda file: file.name)
    return {file.name.removesuffix(".toml"): file.read_text("utf-8").splitlines()[0].lstrip("# ") for file in files}


def preset(name: str) -> dict[str, Any]:
    """Return the values a preset sets. Raises `UserError` for an unknown name."""
    if name not in presets():
        raise unknown("preset", name, presets())
    return tomllib.loads((resources.files("nst.recipe") / "presets" / f"{name}.toml").read_text("utf-8"))


def load_recipe(path: str | Path) -> dict[str, Any]:
    """Read the values of a recipe file. Raises `UserError` if it cannot be read."""
    try:
        return tomllib.loads(Path(path).read_text("utf-8"))
    except OSError as error:
        raise UserError(f"cannot read recipe '{path}': {error.strerror}", "give a file in TOML") from None
    except (ValueError, RecursionError) as error:  # TOML's, or UTF-8's, or Python's on a number of 5,000 digits
        raise UserError(f"recipe '{path}' is not TOML: {error}", "see nst/recipe/presets for examples") from None
