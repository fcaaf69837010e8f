"""The page itself: what is where. What happens in a part of it is that part's, and what it means is `nst.ui.service`'s."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.ui.compare_panel import SideBySide
from nst.ui.endpoints import Endpoints
from nst.ui.estimate_panel import EstimatePanel
from nst.ui.events import PRIVATE
from nst.ui.mask_editor import MaskEditor
from nst.ui.paint_panel import Easel
from nst.ui.service import Service
from nst.ui.settings import Settings

HEAD = "<h1>nst</h1><p>Give it a picture and a painting, get the picture painted.</p>"
KEPT = (3600, 86400)  # every hour, what is older than a day; all of it goes when the last page is closed


class Page:
    """One page for every visitor."""

    def __init__(self, host: Service) -> None:
        self._host = host
        self._settings, self._canvas = Settings(host), MaskEditor(host)
        self._easel, self._side_by_side = Easel(host, self._settings), SideBySide(host, self._settings)
        self._forecast = EstimatePanel(host, self._settings)

    def build(self) -> Any:
        """The page, ready to be launched."""
        with gr.Blocks(title="nst", analytics_enabled=False, delete_cache=KEPT) as blocks:
            gr.HTML(HEAD, elem_id="head")
            with gr.Row(elem_id="columns"):
                with gr.Column(elem_id="inputs", min_width=300), gr.Row():
                    content, styles = _content(), _styles()
                with gr.Column(elem_id="painting", min_width=300):
                    self._easel.build(self._forecast.build)
                    self._side_by_side.build()
                with gr.Column(elem_id="settings", min_width=300):
                    self._settings.build()
                    self._canvas.build()
            self._settings.wire()
            self._canvas.wire(content)
            self._easel.wire(content, styles, self._canvas)
            self._side_by_side.wire(content, styles)
            self._forecast.wire(content, styles)
            Endpoints(self._host).wire()
            blocks.load(self._enter, None, None, **PRIVATE)
            blocks.unload(self._leave)
        return blocks

    def _enter(self, request: gr.Request) -> None:
        self._host.visitors.enter(request.session_hash)

    def _leave(self, request: gr.Request) -> None:
        self._host.visitors.leave(request.session_hash)


def _content() -> Any:
    label = "Content: the picture to paint"
    how = {"sources": ["upload", "clipboard"], "height": 260, "min_width": 150, "elem_id": "content"}
    return gr.Image(label=label, type="filepath", buttons=[], **how)


def _styles() -> Any:
    label = "Styles: what to paint it like"
    how = {"sources": ["upload", "clipboard"], "height": 260, "min_width": 150, "elem_id": "styles"}
    return gr.Gallery(label=label, type="filepath", interactive=True, columns=2, buttons=[], **how)
