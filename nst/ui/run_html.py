"""What a page shows of a run, in HTML: the picture as it forms, how far it is, and its loss."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import timedelta
from html import escape

from nst.compare.page import legend
from nst.errors import Mistakes, NstError
from nst.reports import curves
from nst.reports import run as report
from nst.ui.run_state import RunState

WORDS = {
    "finished": "Done",
    "interrupted": "Stopped, with the best so far",
    "diverged": "Stopped where the loss was still finite",
}
FOREVER = 10**9  # seconds


def status(run: RunState) -> str:
    """Where a run stands, in a few words that change seldom: a screen reader reads each aloud."""
    if run.failed:
        return "Failed" if not run.stopping else "Stopped"
    if run.done:
        return WORDS.get(run.done.stopped, "Done")
    if run.state == "waiting":
        place = run.ticket.place if run.ticket else 0
        return f"Waiting: {place} before this one" if place else "Waiting"
    if run.stopping:
        return "Stopping with the best so far"
    return "Getting ready" if run.progress is None else "Painting"


def shown(run: RunState) -> str:
    """The status, the bar and the curves of a run."""
    if run.failed:
        return announced(status(run)) + ("" if run.stopping else mistakes([(run.failed.message, run.failed.hint)]))
    return f"{announced(status(run))}{_bar(run)}{_curves(run)}"


def announced(words: str) -> str:
    """A line that a screen reader reads when it changes."""
    return f'<p role="status" class="status">{escape(words)}</p>'


def picture(run: RunState) -> str:
    """The picture as it forms; nothing once it is done."""
    if run.preview is None or run.over:
        return ""
    data = b64encode(run.preview.jpeg).decode()
    return f'<img class="preview" alt="the picture after step {run.preview.step}" src="data:image/jpeg;base64,{data}">'


def _bar(run: RunState) -> str:
    if (now := run.progress) is None:
        return ""
    left = "" if run.over else f", {timedelta(seconds=min(round(now.left), FOREVER))} left"
    words = f"step {now.step} of {now.steps} at {now.size} px{left}"
    return f'<p class="bar"><progress aria-label="steps" max="{now.steps}" value="{now.step}"></progress> {words}</p>'


def _curves(run: RunState) -> str:
    told = {"history": run.history}
    drawn = report.losses(told) if run.history else {}
    found = curves.svg(drawn, "The loss at each step", report.sizes(told)) if len(run.history) > 1 else ""
    return f"{found}{legend(drawn)}" if found else ""


def mistakes(told: Iterable[tuple[str, str]]) -> str:
    """What went wrong and what to do about it, as an alert."""
    items = (f"<li>{escape(what)}{f'<br><small>{escape(hint)}</small>' if hint else ''}</li>" for what, hint in told)
    return f'<div role="alert" class="mistakes"><ul>{"".join(items)}</ul></div>'


def of_error(error: NstError) -> str:
    """An error, or each of several, as an alert."""
    several = error.errors if isinstance(error, Mistakes) else (error,)
    return mistakes((each.message, each.hint) for each in several)
