"""Read the values of recipe fields, from command-line text or from data in TOML and Python.

Every reader accepts text and data, returns the canonical form, and raises `UserError` naming the allowed values.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nst.errors import UserError
from nst.specs import OptionValue
from nst.vgg import layers


def text(value: Any) -> str:
    """Read a non-empty string or a path."""
    if not isinstance(value, str | os.PathLike):
        raise UserError(f"must be text, not {value!r}", "")
    if not str(value).strip():
        raise UserError("is empty", "give a name")
    return str(value)


def number(value: Any) -> float:
    """Read a finite number, 0 or more."""
    result: float = _parsed(float, value, "a number")
    if not math.isfinite(result) or result < 0:
        raise UserError(f"must be a finite number of 0 or more, not {value}", "")
    return result


def positive(value: Any) -> float:
    """Read a finite number above 0."""
    result = number(value)
    if result == 0:
        raise UserError("must be above 0, not 0", "")
    return result


def whole(value: Any) -> int:
    """Read a whole number, 0 or more."""
    result: int = _parsed(int, value, "a whole number")
    if result < 0 or not (isinstance(value, str) or value == result):
        raise UserError(f"must be a whole number of 0 or more, not {value}", "")
    return result


MOST = 10**6
"""The largest size in pixels or number of steps anybody can mean."""


def count(value: Any) -> int:
    """Read a whole number from 1 to a million."""
    result = whole(value)
    if result == 0:
        raise UserError("must be 1 or more, not 0", "")
    if result > MOST:
        raise UserError(f"must be {MOST:,} or less, not {value}", "")
    return result


def counts(value: Any) -> tuple[int, ...]:
    """Read whole numbers above 0: `128,181,256`, a single number, or a list of them."""
    return tuple(count(part) for part in _parts(value))


def shares(value: Any) -> tuple[float, ...]:
    """Read numbers of 0 or more that are not all 0: `2,1` or a list."""
    values = tuple(number(part) for part in _parts(value))
    if values and not any(values):
        raise UserError("must not all be 0", "")
    return values


def scales(value: Any) -> tuple[float, ...]:
    """Read numbers above 0, at least one: `1`, `1,0.5` or a list."""
    return tuple(positive(part) for part in _parts(value)) or (positive(""),)


def selection(value: Any) -> dict[str, float]:
    """Read layers and their weights: `relu1_1=1,relu2_1=0.5`, or a table."""
    table = value if isinstance(value, Mapping) else layers.parse_selection(",".join(map(str, _parts(value))))
    return {layers.canonical_layer(str(name)): number(weight) for name, weight in table.items()}


def settings(value: Any) -> dict[str, OptionValue]:
    """Read options of a plugin: `lr=0.02,history=10`, a list of such texts, or a table. The plugin checks types."""
    if isinstance(value, Mapping):
        return {str(name): _plain(option) for name, option in value.items()}
    pairs = [str(part).partition("=") for part in _parts(value)]
    for name, equals, _ in pairs:
        if not (name.strip() and equals):
            raise UserError(f"has '{name}' where name=value belongs", "write it like lr=0.02")
    return {name.strip(): option.strip() for name, _, option in pairs}


def _plain(value: Any) -> OptionValue:
    """Return a NumPy scalar as Python's own number, and any other value as it is. Raises `UserError` for an array."""
    if getattr(value, "shape", ()) != ():
        raise UserError(f"has an array of shape {value.shape} where one value belongs", "give a number or text")
    return value.item() if hasattr(value, "item") else value  # type: ignore[no-any-return]


def fraction(value: Any) -> float:
    """Read a number from 0 to below 1."""
    result = number(value)
    if result >= 1:
        raise UserError(f"must be below 1, not {value}", "")
    return result


def names(value: Any) -> tuple[str, ...]:
    """Read non-empty strings: `compact,imagenet`, or a list, whose strings are not split."""
    several = value.split(",") if isinstance(value, str) else value
    if isinstance(several, os.PathLike) or not isinstance(several, Iterable):
        return (text(several),)
    strings = tuple(text(item).strip() for item in several)
    return strings or (text(""),)


def tile(value: Any) -> str:
    """Read `auto`, `off`, or a number of pixels."""
    return str(value) if value in ("auto", "off") else str(count(value))


@dataclass(frozen=True)
class ExtraLoss:
    """An additional loss: its weight, its layers with their weights, and its options.

    Without layers, a loss uses the style layers or the content layers, by its role, or the image itself.
    """

    name: str
    weight: float
    layers: Mapping[str, float] = field(default_factory=dict)
    options: Mapping[str, OptionValue] = field(default_factory=dict)


LOSS = "write it like histogram=50@relu4_1,relu5_1=0.5, or as a table with name, weight, layers and options"


def losses(value: Any) -> tuple[ExtraLoss, ...]:
    """Read losses, each as text or as a table."""
    several = [value] if isinstance(value, str | Mapping | ExtraLoss) else value
    if not isinstance(several, Iterable):
        raise UserError(f"has {value!r} where losses belong", LOSS)
    return tuple(map(_loss, several))


def _loss(value: Any) -> ExtraLoss:
    if isinstance(value, ExtraLoss):
        return value
    if isinstance(value, str):
        head, _, selected = value.partition("@")
        name, equals, weight = head.partition("=")
        if not equals:
            raise UserError(f"'{value}' has no weight", LOSS)
        value = {"name": name, "weight": weight, "layers": selected}
    if not isinstance(value, Mapping) or not {"name", "weight"} <= value.keys() <= {*ExtraLoss.__dataclass_fields__}:
        raise UserError(f"has {value!r} where a loss belongs", LOSS)
    return ExtraLoss(
        text(value["name"]),
        number(value["weight"]),
        selection(value.get("layers", {})),
        settings(value.get("options", {})),
    )


def _parts(value: Any) -> list[Any]:
    """Split text at commas or blanks, or return the items of a list, whose strings may contain several."""
    if isinstance(value, str):
        return value.replace(",", " ").split()
    if isinstance(value, Iterable):
        return [part for item in value for part in _parts(item)]
    return [value]


def _parsed(kind: type, value: Any, name: str) -> Any:
    try:
        if isinstance(_plain(value), bool):
            raise ValueError
        return kind(value)
    except (TypeError, ValueError, OverflowError):
        raise UserError(f"must be {name}, not '{value}'", "") from None


def numbered(names: Sequence[str]) -> list[str]:
    """Add a number to the second and later of equal names: `gram`, `gram 2`."""
    counts = [names[: index + 1].count(name) for index, name in enumerate(names)]
    return [f"{name} {count}" if count > 1 else name for name, count in zip(names, counts, strict=True)]
