"""Build the panel that compares backends on the same images."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.orders import Order
from nst.recipe.recipe import Recipe
from nst.ui import compare_command, status_html
from nst.ui.gradio_events import AT_ONCE, PRIVATE, RAW, paths_of, upload_path
from nst.ui.run_state import RunState
from nst.ui.service import PaintRequest, Service
from nst.ui.settings import Settings


class ComparePanel:
    """The choice of backends, the buttons and the report. Images and settings come from the rest of the page."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._settings = service, settings

    def build(self) -> None:
        """Create the components of the panel."""
        with gr.Accordion("Backends side by side", open=False):
            names = list(self._service.form.entries["backend"].choices)
            self._backends = gr.CheckboxGroup(
                names,
                label="Backends",
                info="Each backend runs in a process of its own, with the same pictures and settings.",
            )
            with gr.Row():
                self._compare = gr.Button("Compare", min_width=80, elem_id="compare")
                self._end = gr.Button("Stop", interactive=False, min_width=80)
            self._status = gr.HTML(elem_id="compared", elem_classes="optional")
            self._report = gr.HTML(elem_id="report", elem_classes="optional")

    @property
    def messages(self) -> list[Any]:
        """The components that show results and errors, except for the report."""
        return [self._status]

    @property
    def actions(self) -> list[Any]:
        """The events that start an action."""
        return [self._compare.click]

    def wire(self, content: Any, styles: Any) -> None:
        """Connect the buttons to their handlers."""
        inputs = [self._backends, content, styles, *self._settings.inputs]
        outputs = [self._compare, self._end, self._status, self._report]
        self._compare.click(self._start, inputs, outputs, **RAW, **AT_ONCE)
        self._end.click(self._stop, None, self._end, **PRIVATE)

    def _start(
        self, request: gr.Request, backends: list[str], content: Any, styles: Any, *values: Any
    ) -> Iterator[list[Any]]:
        visitor = self._service.visitors.enter(request.session_hash)
        paint_request = PaintRequest(upload_path(content), paths_of(styles), self._settings.values(values))
        folder = Path(tempfile.mkdtemp(prefix="compare-", dir=visitor.folder))
        try:
            command = self._service.run_command(visitor, paint_request, partial(self._order, backends or [], folder))
        except NstError as error:
            yield self._outputs(status_html.error_html(error), busy=False)
            return
        for position in self._service.waiting(visitor):
            words = (
                f"Waiting: {position} before this one"
                if position
                else "Comparing: each backend paints the picture, and then the pictures are evaluated"
            )
            yield self._outputs(status_html.status_line(words, running=True), busy=True)
        if not visitor.gone:
            report = compare_command.report_frame(folder)
            yield self._outputs(self._result(command, report), report, busy=False)

    def _order(self, backends: list[str], folder: Path, content: str, styles: list[str], recipe: Recipe) -> Order:
        largest = self._service.limits.pixels
        return compare_command.comparison_order(content, styles, backends, recipe, folder, largest)

    @staticmethod
    def _result(command: RunState, report: str) -> str:
        status = status_html.status_line("Stopped" if command.stopping else "Compared" if report else "Failed")
        return status if report else status + status_html.failure_alert(command)

    @staticmethod
    def _outputs(status: str, report: str = "", *, busy: bool) -> list[Any]:
        return [gr.update(interactive=not busy), gr.update(interactive=busy), status, report]

    def _stop(self, request: gr.Request) -> Any:
        visitor = self._service.visitors.enter(request.session_hash)
        self._service.stop_command(visitor)
        return gr.update(interactive=False)
