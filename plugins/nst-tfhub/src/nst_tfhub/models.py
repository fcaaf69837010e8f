"""What a stylization network promises, whichever runtime it is on.

Two halves: one reads a style into a code, the other paints a content with a mixture of codes. Pictures are
`nst.protocols.Pixels`; nothing here computes on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.protocols import Pixels

Code: TypeAlias = NDArray[np.float32]
"""What a network keeps of a style: the bottleneck `(N,)`, 100 numbers in Magenta's; else the seen style itself."""

Blend: TypeAlias = Sequence[tuple[Code, float]]
"""Codes and their shares, which sum to 1."""


class Model(Protocol):
    """A network ready to run.

    `side` is the side in pixels of the one square content it paints, None where any size will do; `style_side` the
    same for the styles it reads. `device`, `precision` and `notes` are what a person is told.
    """

    device: str
    precision: str
    notes: tuple[str, ...]
    side: int | None
    style_side: int | None

    def encode(self, style: Pixels) -> Code:
        """Return the code of a square style."""

    def paint(self, content: Pixels, blend: Blend) -> Pixels:
        """Return the content, its sides multiples of 4 and at least 8, in the blended style, at its own size."""

    def peak_memory(self) -> int | None:
        """Return the peak device memory in bytes; None on the CPU."""


class Weights(Protocol):
    """Files on disk that were found fit: what a source of this plugin loads and `FastTransfer` takes."""

    def open(self, device: str) -> Model:
        """Return the network on a device: `auto`, `cpu` or `cuda`. Imports its runtime; raises `UserError`."""


def mixed(blend: Blend) -> Code:
    """Return the codes' weighted mean, in double precision inside: a blend of one is that code to the bit."""
    codes = np.stack([code for code, _ in blend])
    return np.tensordot([share for _, share in blend], codes, axes=1).astype(np.float32)
