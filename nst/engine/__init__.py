"""The optimization: it receives objects, never names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.engine.loop import OnIterate as OnIterate
    from nst.engine.loop import Progress as Progress
    from nst.engine.loop import Run as Run
    from nst.engine.loop import Stop as Stop
    from nst.engine.loop import run as run

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.engine.loop": (
            "OnIterate",
            "Progress",
            "Run",
            "Stop",
            "run",
        ),
    },
)
