"""Select the weights of a run: weight sets by name, files by path, and compressed networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.weights.selection import COMPACT as COMPACT
    from nst.weights.selection import Choice as Choice
    from nst.weights.selection import NeutralFile as NeutralFile
    from nst.weights.selection import choose_all as choose_all
    from nst.weights.selection import choose_weights as choose_weights
    from nst.weights.sets import COMPACT_SET as COMPACT_SET

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.weights.selection": (
            "COMPACT",
            "Choice",
            "NeutralFile",
            "choose_weights",
            "choose_all",
        ),
        "nst.weights.sets": ("COMPACT_SET",),
    },
)
