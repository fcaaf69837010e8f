"""Lay out the page. Each panel handles its own events; `nst.ui.service` does the work."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.ui.compare_panel import ComparePanel
from nst.ui.endpoints import Endpoints
from nst.ui.estimate_panel import EstimatePanel
from nst.ui.gradio_events import PRIVATE
from nst.ui.mask_editor import MaskEditor
from nst.ui.paint_panel import PaintPanel
from nst.ui.service import Service
from nst.ui.settings import Settings
from nst.ui.status_html import RUNNING

HEAD = "<h1>nst</h1><p>Choose a picture and a painting. nst paints the picture like the painting.</p>"
KEPT = (3600, 86400)  # seconds: delete files older than a day, every hour
CLEAR = f"""(...texts) => texts.map((text) => text?.includes('class="{RUNNING}"') ? text : "")"""
"""JavaScript that empties messages, except for those of jobs that are not over."""


class Page:
    """The layout of the page, the same for every visitor."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._settings, self._mask_editor = Settings(service), MaskEditor(service)
        self._paint_panel, self._compare_panel = (
            PaintPanel(service, self._settings),
            ComparePanel(service, self._settings),
        )
        self._estimate_panel = EstimatePanel(service, self._settings)

    def build(self) -> Any:
        """Return the page, ready to be launched."""
        with gr.Blocks(title="nst", analytics_enabled=False, delete_cache=KEPT) as blocks:
            gr.HTML(HEAD, elem_id="head")
            with gr.Row(elem_id="columns"):
                with gr.Column(elem_id="inputs", min_width=300), gr.Row():
                    content, styles = _content(), _styles()
                with gr.Column(elem_id="painting", min_width=300):
                    self._paint_panel.build(self._estimate_panel.build)
                    self._compare_panel.build()
                with gr.Column(elem_id="settings", min_width=300):
                    self._settings.build()
                    self._mask_editor.build()
            self._clear_messages([content.change, styles.change])
            self._settings.wire()
            self._mask_editor.wire(content)
            self._paint_panel.wire(content, styles, self._mask_editor)
            self._compare_panel.wire(content, styles)
            self._estimate_panel.wire(content, styles)
            Endpoints(self._service).wire()
            blocks.load(self._enter, None, None, **PRIVATE)
            blocks.unload(self._leave)
        return blocks

    def _clear_messages(self, changes: list[Any]) -> None:
        """Let a new action remove all old messages, and a changed input all but the status of the last run.

        Gradio handles the events of a click in the order of their definition, so these events come first.
        """
        panels: list[Any] = [
            self._paint_panel,
            self._estimate_panel,
            self._compare_panel,
            self._settings,
            self._mask_editor,
        ]
        messages = [message for panel in panels for message in panel.messages]
        all_messages = [self._paint_panel.status, *messages]
        actions = [action for panel in panels for action in panel.actions]
        gr.on(actions, None, all_messages, all_messages, js=CLEAR, **PRIVATE)
        gr.on([*changes, *self._settings.changes], None, messages, messages, js=CLEAR, **PRIVATE)

    def _enter(self, request: gr.Request) -> None:
        self._service.visitors.enter(request.session_hash)

    def _leave(self, request: gr.Request) -> None:
        self._service.visitors.leave(request.session_hash)


def _content() -> Any:
    label = "Content: the picture to paint"
    options = {"sources": ["upload", "clipboard"], "height": 260, "min_width": 150, "elem_id": "content"}
    return gr.Image(label=label, type="filepath", buttons=[], **options)


def _styles() -> Any:
    label = "Styles: what to paint it like"
    options = {"sources": ["upload", "clipboard"], "height": 260, "min_width": 150, "elem_id": "styles"}
    return gr.Gallery(label=label, type="filepath", interactive=True, columns=2, buttons=[], **options)
