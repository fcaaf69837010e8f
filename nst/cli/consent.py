"""Ask before a run that takes more than an hour."""

from __future__ import annotations

import sys

from nst.errors import UserError
from nst.estimate.text import duration

LONGEST = 3600.0
"""The seconds that a run may take without a question."""


def require_consent(seconds: float | None, yes: bool) -> None:
    """Raise `UserError` for a run of more than an hour that the user does not agree to, unless `yes`.

    On a terminal the user is asked; elsewhere nobody can answer. `seconds` is None for an unknown time.
    """
    if yes or seconds is None or seconds <= LONGEST:
        return
    hint = "add --yes to start it, or choose a smaller --size or fewer --steps"
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise UserError(f"the run would take about {duration(seconds)}", hint)
    sys.stderr.write(f"The run will take about {duration(seconds)}. Start it? [y/N] ")
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() not in ("y", "yes"):
        raise UserError("the run was not started", hint)
