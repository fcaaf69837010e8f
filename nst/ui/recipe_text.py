"""Convert the values of a recipe to values of form fields: text for sequences and mappings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nst.recipe.recipe import FIELDS


def as_text(name: str, value: Any) -> Any:
    """Return a field's value as text: `relu1_1=1,relu2_1=0.5` for layers, `128,181` for numbers.

    The reader of the field parses the text. Other values are returned unchanged.
    """
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_plain(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return ",".join(map(_plain, value))
    return value if name in FIELDS else str(value)


def _plain(value: Any) -> str:
    """Return a value as text, a whole number without a decimal point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
