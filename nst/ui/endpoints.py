"""Offer the page's API for programs that use gradio_client."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio import FileData

from nst.errors import Mistakes, NstError
from nst.ui.gradio_events import AT_ONCE
from nst.ui.run_state import RunState
from nst.ui.server_paths import without_folders
from nst.ui.service import PaintRequest, Service

PATIENCE = 1.0  # seconds between two checks of a run


class Endpoints:
    """The endpoints `/settings` and `/paint`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    def wire(self) -> None:
        """Register the endpoints."""
        gr.api(self.settings, api_name="settings")
        gr.api(self.paint, api_name="paint", **AT_ONCE)

    def settings(self) -> list[dict[str, Any]]:
        """Return every setting with its `key`, `help`, `default` and `choices`."""
        return [asdict(entry) for entry in self._service.form.entries.values()]

    def paint(
        self,
        request: gr.Request,
        content: FileData,
        styles: list[FileData],
        settings: dict[str, Any] = {},  # noqa: B006 - Gradio shows it, and nobody writes to it
    ) -> FileData:
        """Return the stylized content as a PNG that carries its recipe. `settings` maps keys to values."""
        visitor = self._service.visitors.enter(request.session_hash)
        paint_request = PaintRequest(content["path"], [style["path"] for style in styles], settings)
        try:
            run = self._service.start(visitor, paint_request)
        except NstError as error:
            raise gr.Error(_message(error), print_exception=False) from None
        version = -1
        while not run.over:
            version = run.wait(version, PATIENCE)
        return _answer(run)


def _answer(run: RunState) -> Any:
    if run.failed is not None:
        raise gr.Error(without_folders(run.failed.message), print_exception=False)
    return FileData(path=str(run.output), orig_name=run.output.name).model_dump()


def _message(error: NstError) -> str:
    errors = error.errors if isinstance(error, Mistakes) else (error,)
    texts = (f"{item.message} ({item.hint})" if item.hint else item.message for item in errors)
    return without_folders("; ".join(texts))
