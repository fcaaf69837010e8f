"""One command-line option per recipe field, made from the fields themselves, so that the two cannot drift apart."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import MISSING, Field
from functools import wraps
from typing import Annotated, Any, get_type_hints

import typer

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
"""Which fields `--help` shows together, in this order; the rest come last, as "The optimization"."""


STRENGTH = inspect.Parameter(
    "strength",
    inspect.Parameter.KEYWORD_ONLY,
    default=None,
    annotation=Annotated[
        str | None,
        typer.Option(
            "--strength",
            metavar="0..1",
            help="how strongly a one-pass backend paints; short for --backend-option strength=…",
            rich_help_panel="The network",
        ),
    ],
)
"""The one option of a backend that people ask for by name."""


def recipe_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give `command` an option for every recipe field; those the user set arrive as its argument `given`.

    An argument `act` is for callers in Python.
    """
    hints = get_type_hints(command, include_extras=True)
    parameters = inspect.signature(command).parameters
    own = [parameter for name, parameter in parameters.items() if name not in ("given", "act")]

    @wraps(command)
    def wrapper(**arguments: Any) -> Any:
        given = {name: arguments.pop(name) for name in FIELDS}
        if (strength := arguments.pop("strength")) is not None:
            given["backend_options"] = [*(given["backend_options"] or []), f"strength={strength}"]
        return command(**arguments, given={name: value for name, value in given.items() if value not in (None, [])})

    shown = [parameter.replace(annotation=hints[parameter.name]) for parameter in own]
    shown += [*map(_parameter, _as_shown()), STRENGTH]
    wrapper.__signature__ = inspect.Signature(shown)  # type: ignore[attr-defined]
    wrapper.__annotations__ = {name: hint for name, hint in hints.items() if name not in ("given", "act")} | {
        name: _annotation(field) for name, field in FIELDS.items()
    }
    wrapper.__annotations__["strength"] = STRENGTH.annotation
    return wrapper


def _as_shown() -> list[Field[Any]]:
    first = [FIELDS[name] for names in PANELS.values() for name in names]
    return [*first, *(field for field in FIELDS.values() if field not in first)]


def _parameter(field: Field[Any]) -> inspect.Parameter:
    kind = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(field.name, kind, default=None, annotation=_annotation(field))


def _annotation(field: Field[Any]) -> Any:
    panel = next((panel for panel, names in PANELS.items() if field.name in names), "The optimization")
    option = typer.Option(
        *_spellings(field.name),
        metavar=field.metadata["metavar"],
        help=field.metadata["help"] + _default(field),
        show_default=False,
        rich_help_panel=panel,
    )
    several = field.metadata["read"] in SEVERAL
    return Annotated[list[str] | None, option] if several else Annotated[str | None, option]


def _spellings(name: str) -> list[str]:
    spelled = flag(name)
    return [spelled, spelled.replace("optimizer", "optimiser")] if "optimizer" in spelled else [spelled]


def _default(field: Field[Any]) -> str:
    """Said in words of our own: Typer would not know a recipe's defaults, which are only filled in later."""
    if "(default:" in field.metadata["help"]:
        return ""
    default = field.default_factory() if field.default_factory is not MISSING else field.default
    if isinstance(default, Mapping):
        default = ",".join(f"{layer}={weight:g}" for layer, weight in default.items())
    typed = ",".join(map(_typed, default if isinstance(default, tuple) else (default,)))
    return f" (default: {typed})" if typed else ""


def _typed(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
