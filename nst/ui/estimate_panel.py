"""Build the panel that estimates time and memory before a picture is started."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.orders import Order
from nst.recipe.recipe import Recipe
from nst.ui import estimate_command, status_html
from nst.ui.gradio_events import AT_ONCE, RAW, paths_of, upload_path
from nst.ui.run_state import RunState
from nst.ui.service import PaintRequest, Service
from nst.ui.settings import Settings


class EstimatePanel:
    """The button that starts an estimate, and its result."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._settings = service, settings

    def build(self) -> None:
        """Create the components of the panel."""
        self._button = gr.Button("Estimate time and memory", size="sm", elem_id="estimate")
        self._answer = gr.HTML(elem_id="answer", elem_classes="optional")

    @property
    def messages(self) -> list[Any]:
        """The components that show results and errors."""
        return [self._answer]

    @property
    def actions(self) -> list[Any]:
        """The events that start an action."""
        return [self._button.click]

    def wire(self, content: Any, styles: Any) -> None:
        """Connect the button to its handler."""
        self._button.click(self._estimate, [content, styles, *self._settings.inputs], self._answer, **RAW, **AT_ONCE)

    def _estimate(self, request: gr.Request, content: Any, styles: Any, *values: Any) -> Iterator[str]:
        visitor = self._service.visitors.enter(request.session_hash)
        paint_request = PaintRequest(upload_path(content), paths_of(styles), self._settings.values(values))
        try:
            command = self._service.run_command(visitor, paint_request, self._order)
        except NstError as error:
            yield status_html.error_html(error)
            return
        for position in self._service.waiting(visitor):
            words = f"Waiting: {position} before this one" if position else "Estimating"
            yield status_html.status_line(words, running=True)
        if not visitor.gone:
            yield self._result(command)

    def _order(self, content: str, styles: list[str], recipe: Recipe) -> Order:
        return estimate_command.estimate_order(content, styles, recipe, self._service.limits.pixels)

    @staticmethod
    def _result(command: RunState) -> str:
        if command.done is None:
            return status_html.failure_alert(command)
        return status_html.status_line(estimate_command.summary(command.done.report))
