"""Parse layer names and selections: `relu4_2=1,relu1_1=0.5`, and Keras' `block4_conv2` for `relu4_2`."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence

from nst.errors import UserError, unknown

KERAS = re.compile(r"block(\d+)_(conv|pool)(\d*)")


def canonical_layer(name: str) -> str:
    """Return the canonical name: `relu4_2` for Keras' `block4_conv2`, which includes its ReLU."""
    match = KERAS.fullmatch(name.strip())
    if not match:
        return name.strip()
    block, kind, conv = match.groups()
    return f"relu{block}_{conv}" if kind == "conv" else f"pool{block}"


def parse_selection(text: str) -> dict[str, float]:
    """Parse `relu1_1=1,relu2_1=0.5` to a mapping; a layer without a weight has weight 1. Raises `UserError`."""
    selection: dict[str, float] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        name, _, weight = part.partition("=")
        if not name.strip():
            raise UserError(f"'{part}' names no layer", "write it like relu4_2=0.5, without blanks")
        selection[canonical_layer(name)] = _weight(part, weight)
    return selection


def _weight(part: str, text: str) -> float:
    try:
        return float(text) if text else 1.0
    except ValueError:
        raise UserError(f"layer weight in '{part}' is not a number", "write it like relu4_2=0.5") from None


def check(option: str, selection: Mapping[str, float], offered: Sequence[str]) -> list[UserError]:
    """Return the errors of a layer selection for a network that offers the layers `offered`."""
    span = f"{offered[0]} … {offered[-1]}" if offered else "none"
    errors = [
        unknown(f"layer in {option}:", name, offered, f"(it has {span})") for name in selection if name not in offered
    ]
    if not selection:
        errors.append(UserError(f"{option} names no layer", f"name at least one of {span}"))
    elif any(not math.isfinite(weight) or weight < 0 for weight in selection.values()):
        errors.append(UserError(f"{option}: weights must be 0 or more", f"got {dict(selection)}"))
    elif not any(selection.values()):
        errors.append(UserError(f"{option}: every weight is 0", "to leave the loss out, set its weight to 0"))
    return errors


def layer_shares(selection: Mapping[str, float]) -> dict[str, float]:
    """Scale the weights to a sum of 1, without the layers of weight 0."""
    total = sum(selection.values())
    return {name: weight / total for name, weight in selection.items() if weight > 0}
