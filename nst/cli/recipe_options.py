"""One command-line option per recipe field, built from the fields themselves, so that the two cannot drift apart.

A command that takes them is a dataclass derived from `RecipeOptions`; Typer sees the fields as arguments and options.
"""
# No `from __future__ import annotations`: Typer would look up these annotations in the modules of the commands.

from collections.abc import Mapping
from dataclasses import MISSING, Field, dataclass, field, make_dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.options import Command
from nst.recipe.recipe import FIELDS, SEVERAL, flag

PANELS: Mapping[str, tuple[str, ...]] = {
    "The picture": (
        "size",
        "content_weight",
        "style_weight",
        "style_scale",
        "style_blend",
        "color",
        "init",
        "init_options",
        "seed",
    ),
    "The network": (
        "backend",
        "backend_options",
        "weights",
        "device",
        "precision",
        "content_layers",
        "style_layers",
        "pooling",
        "padding",
        "bleed",
        "tile",
    ),
    "The losses": (
        "style_loss",
        "style_loss_options",
        "content_loss",
        "content_loss_options",
        "losses",
        "tv_weight",
        "range_weight",
    ),
}
"""The fields that `--help` shows together, in this order; the others follow as "The optimization"."""


def _option(spec: Field[Any]) -> Any:
    """Return the annotated Typer option of a recipe field."""
    panel = next((panel for panel, names in PANELS.items() if spec.name in names), "The optimization")
    option = typer.Option(
        *_spellings(spec.name),
        metavar=spec.metadata["metavar"],
        help=spec.metadata["help"] + _default(spec),
        show_default=False,
        rich_help_panel=panel,
    )
    several = spec.metadata["read"] in SEVERAL
    return Annotated[list[str] | None, option] if several else Annotated[str | None, option]


def _spellings(name: str) -> list[str]:
    spelling = flag(name)
    return [spelling, spelling.replace("optimizer", "optimiser")] if "optimizer" in spelling else [spelling]


def _default(spec: Field[Any]) -> str:
    """Return the default as a person would type it. Typer sees only None, which the recipe replaces later."""
    if "(default:" in spec.metadata["help"]:
        return ""
    default = spec.default_factory() if spec.default_factory is not MISSING else spec.default
    if isinstance(default, Mapping):
        default = ",".join(f"{layer}={weight:g}" for layer, weight in default.items())
    typed = ",".join(map(_typed, default if isinstance(default, tuple) else (default,)))
    return f" (default: {typed})" if typed else ""


def _typed(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)


_ORDER = dict.fromkeys([name for names in PANELS.values() for name in names] + [*FIELDS])

if TYPE_CHECKING:
    _FieldOptions = object
else:
    _options = [(name, _option(FIELDS[name]), field(default=None)) for name in _ORDER]
    _FieldOptions = make_dataclass("_FieldOptions", _options, kw_only=True)


@dataclass(kw_only=True)
class RecipeOptions(Command, _FieldOptions):
    """A command with an option for every recipe field, and `--strength`."""

    strength: Annotated[
        str | None,
        typer.Option(
            "--strength",
            metavar="0..1",
            help="how strongly a one-pass backend paints; short for --backend-option strength=…",
            rich_help_panel="The network",
        ),
    ] = None

    @property
    def chosen(self) -> dict[str, Any]:
        """The recipe fields that the user has set, with their values as typed."""
        values = {name: getattr(self, name) for name in FIELDS}
        if self.strength is not None:
            values["backend_options"] = [*(values["backend_options"] or []), f"strength={self.strength}"]
        return {name: value for name, value in values.items() if value not in (None, [])}
