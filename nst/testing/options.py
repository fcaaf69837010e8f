"""Generate the extreme values of a spec's options."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from nst.specs import Option, OptionValue, Spec


def bounds(spec: Spec) -> Iterator[dict[str, Any]]:
    """Yield each option in turn at its bounds, or at each of its choices; nothing for a spec without options."""
    for option in spec.options:
        for value in _values(option):
            yield {option.name: value}


def _values(option: Option) -> tuple[OptionValue, ...]:
    if isinstance(option.default, bool):
        return True, False
    if isinstance(option.default, str):
        return option.choices or (option.default,)
    ends = (option.minimum, option.maximum)
    return tuple(type(option.default)(end) for end in ends if end is not None)
