"""Format the state of a run as HTML: preview, progress, loss curves and errors."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable
from datetime import timedelta
from html import escape

from nst.errors import Mistakes, NstError
from nst.reports import curves
from nst.reports import run as report
from nst.reports.html import legend
from nst.ui.run_state import RunState
from nst.ui.server_paths import without_folders

WORDS = {
    "finished": "Done",
    "interrupted": "Stopped, with the best picture so far",
    "diverged": "Stopped at the last step with a finite loss",
}
FOREVER = 10**9  # seconds
RUNNING = "status running"  # the class of the status line of a job that is not over


def status(run: RunState) -> str:
    """Return the status of a run in a few words. The words change seldom, since a screen reader speaks them."""
    if run.failed:
        return "Failed" if not run.stopping else "Stopped"
    if run.done:
        return WORDS.get(run.done.stopped, "Done")
    if run.state == "waiting":
        place = run.ticket.place if run.ticket else 0
        return f"Waiting: {place} before this one" if place else "Waiting"
    if run.stopping:
        return "Stopping with the best picture so far"
    return "Getting ready" if run.progress is None else "Painting"


def run_status(run: RunState) -> str:
    """Return the status, progress bar and loss curves of a run."""
    if run.failed:
        return status_line(status(run)) + failure_alert(run)
    return f"{status_line(status(run), running=not run.over)}{_bar(run)}{_curves(run)}"


def failure_alert(run: RunState) -> str:
    """Return an alert with the error of a failed run, or "" if the user stopped it."""
    return error_list([(run.failed.message, run.failed.hint)]) if run.failed and not run.stopping else ""


def status_line(words: str, *, running: bool = False) -> str:
    """Return a status line, which a screen reader speaks when the text changes. `running` means more will follow."""
    kind = RUNNING if running else "status"
    return f'<p role="status" class="{kind}">{escape(words)}</p>'


def preview_image(run: RunState) -> str:
    """Return the preview image of a run, or "" before the first preview and after the end."""
    if run.preview is None or run.over:
        return ""
    data = b64encode(run.preview.jpeg).decode()
    return f'<img class="preview" alt="the picture after step {run.preview.step}" src="data:image/jpeg;base64,{data}">'


def _bar(run: RunState) -> str:
    if (step := run.progress) is None:
        return ""
    left = "" if run.over else f", {timedelta(seconds=min(round(step.left), FOREVER))} left"
    words = f"step {step.step} of {step.steps} at {step.size} px{left}"
    return f'<p class="bar"><progress aria-label="steps" max="{step.steps}" value="{step.step}"></progress> {words}</p>'


def _curves(run: RunState) -> str:
    report_data = {"history": run.history}
    series = report.losses(report_data) if run.history else {}
    chart = curves.svg(series, "The loss at each step", report.sizes(report_data)) if len(run.history) > 1 else ""
    return f"{chart}{legend(series)}" if chart else ""


def error_list(errors: Iterable[tuple[str, str]]) -> str:
    """Return an alert that lists errors, given as pairs of message and hint, without the server's folders."""
    items = (
        f"<li>{_shown(message)}{f'<br><small>{_shown(hint)}</small>' if hint else ''}</li>" for message, hint in errors
    )
    return f'<div role="alert" class="mistakes"><ul>{"".join(items)}</ul></div>'


def _shown(text: str) -> str:
    return escape(without_folders(text))


def error_html(error: NstError) -> str:
    """Return an alert for an error, or for every error of a `Mistakes`."""
    errors = error.errors if isinstance(error, Mistakes) else (error,)
    return error_list((item.message, item.hint) for item in errors)
