"""Provide immutable arrays, like JAX's, for tests of code that computes on a backend's arrays."""

from __future__ import annotations

from typing import Any

import numpy as np


class ImmutableArray(np.ndarray):
    """A NumPy array that refuses item assignment; `x += y` makes another array, as `x = x + y` does."""

    def __setitem__(self, index: Any, value: Any) -> None:
        raise TypeError("this array is immutable: make another one in place of assigning to its elements")

    def _refuse(self, other: Any) -> Any:
        return NotImplemented  # Python then takes the operator without assignment

    __iadd__ = __isub__ = __imul__ = __itruediv__ = __ipow__ = _refuse


def immutable(values: Any) -> ImmutableArray:
    """Return a copy of the values as an immutable array."""
    return np.array(values).view(ImmutableArray)
