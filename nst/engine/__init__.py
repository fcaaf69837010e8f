"""The optimization: it receives objects, never names. `loop.optimize` holds its sequence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from nst.lazy import attach

if TYPE_CHECKING:
    from nst.engine.level_run import OnIterate as OnIterate
    from nst.engine.level_run import Optimization as Optimization
    from nst.engine.level_run import Progress as Progress
    from nst.engine.loop import Stop as Stop
    from nst.engine.loop import optimize as optimize

__getattr__, __dir__ = attach(
    __name__,
    {
        "nst.engine.level_run": ("OnIterate", "Optimization", "Progress"),
        "nst.engine.loop": ("Stop", "optimize"),
    },
)
