"""Find runs that cannot end, because memory would run out even in tiles, and runs that may take very long."""

from __future__ import annotations

from collections.abc import Sequence

from nst.errors import UserError
from nst.job.plan import RunPlan

TOLERANCE = 0.85
"""The share of the estimated memory that a run needs at least: estimates are up to 15 % above the truth."""

STEP = 64
"""The pixels between two sizes that are tried as a smaller one."""


LARGE = 150 * 2048**2
"""The square pixels of all steps above which a run may take an hour."""


def is_large(sizes: Sequence[int], steps: Sequence[int]) -> bool:
    """Return whether a run may take an hour, so that an estimate of its time is worth the seconds that it costs."""
    return sum(size * size * count for size, count in zip(sizes, steps, strict=True)) > LARGE


def require_memory(plan: RunPlan) -> None:
    """Raise `UserError` for a run with a size that needs more memory than there is; an unknown need is allowed."""
    room = plan.free()
    if plan.estimator is None or room is None:
        return
    for level in plan.levels:
        need, tile = plan.least_memory(level), plan.least_tile(level)
        if TOLERANCE * need > room:
            tiles = f"in tiles of {tile} px" if tile else "as a whole"
            message = f"{level.size} px needs {need / 1e9:.1f} GB {tiles}; {room / 1e9:.1f} GB is free"
            raise UserError(message, _hint(plan, room))


def _hint(plan: RunPlan, room: int) -> str:
    last = plan.levels[-1]
    sizes = range(STEP * ((last.size - 1) // STEP), STEP, -STEP)
    fitting = next((size for size in sizes if TOLERANCE * plan.least_memory(plan.last_at(size)) <= room), 0)
    return f"a size of {fitting} px fits" if fitting else "close other programs, or use a machine with more memory"
