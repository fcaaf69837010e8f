"""A recipe's values as a form shows them: text where a field takes several, and what it is anywhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from nst.recipe.recipe import FIELDS


def as_text(name: str, value: Any) -> Any:
    """`relu1_1=1,relu2_1=0.5` for layers, `128,181` for several numbers; the field's reader reads it back."""
    if isinstance(value, Mapping):
        return ",".join(f"{key}={_plain(part)}" for key, part in value.items())
    if isinstance(value, tuple):
        return ",".join(map(_plain, value))
    return value if name in FIELDS else str(value)


def _plain(value: Any) -> str:
    """A number without a point that says nothing."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
