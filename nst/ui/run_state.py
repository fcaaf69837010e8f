"""Keep the state of one run: the worker's events update it, and the page reads it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from threading import Condition
from typing import Any

from nst.orders import Done, Event, Failed, Order, Preview, Stage, Started, Step
from nst.ui.device_queue import Ticket


class RunState:
    """The state of a run. `state` is "waiting", "starting", "painting", "done" or "failed".

    Threads may read the state while another thread updates it. Every event increments `version`.
    """

    def __init__(self, order: Order, earlier: Sequence[Mapping[str, Any]] = ()) -> None:
        self.order = order
        self.history: list[Mapping[str, Any]] = list(earlier)
        self.state = "waiting"
        self.started: Started | None = None
        self.progress: Step | None = None
        self.preview: Preview | None = None
        self.done: Done | None = None
        self.failed: Failed | None = None
        self.stopping = False
        self.ticket: Ticket | None = None
        self.version = 0
        self._changed = Condition()

    @property
    def over(self) -> bool:
        """Whether the run has ended."""
        return self.state in ("done", "failed")

    @property
    def output(self) -> Path:
        """The path of the finished image."""
        return Path(self.order.output)

    @property
    def checkpoint(self) -> Path | None:
        """The checkpoint of a stopped run, or None if the run cannot be resumed."""
        path = Path(self.order.checkpoint)
        stopped = self.done is not None and self.done.stopped == "interrupted"
        return path if stopped and path.is_file() else None

    def begin(self) -> None:
        """Mark the run as starting."""
        self._enter("starting")

    def take(self, event: Event) -> None:
        """Update the state from an event of the worker."""
        if isinstance(event, Started):
            self.started = event
            self._enter("painting")
        elif isinstance(event, Step):
            self.progress = event
            row = {"step": event.step, "size": event.size, "loss": event.loss, "terms": event.terms}
            self.history = [*self.history[: event.step - 1], row]
            self._enter("painting")
        elif isinstance(event, Preview):
            self.preview = event
            self._enter("painting")
        elif isinstance(event, Stage):
            self._enter("painting")
        elif isinstance(event, Done):
            self.done = event
            self._enter("done")
        else:
            self.failed = event
            self._enter("failed")

    def _enter(self, state: str) -> None:
        with self._changed:
            self.state = state
            self.version += 1
            self._changed.notify_all()

    def wait(self, version: int, timeout: float) -> int:
        """Wait up to `timeout` seconds for a version other than `version`. Return the current version."""
        with self._changed:
            self._changed.wait_for(lambda: self.version != version, timeout)
            return self.version
