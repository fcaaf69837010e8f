"""The part of the page where a brush says which part of the picture is meant."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from nst import images
from nst.errors import NstError
from nst.ui import mask, run_html
from nst.ui.events import PRIVATE, RAW, path_of
from nst.ui.service import Service

LARGEST = 768  # pixels, long side of what is painted on
RED = "#e11d48"


class MaskEditor:
    """The content, to be marked with a brush; `use` says what for."""

    def __init__(self, host: Service) -> None:
        self._host = host
        self.use: Any = None

    def build(self) -> None:
        """What is seen."""
        with gr.Accordion("Only a part of the picture", open=False):
            uses = [(words, name) for name, words in mask.USES.items()]
            self.use = gr.Radio(uses, value="nothing", label="What the brush marks …", elem_id="brush")
            self._put = gr.Button("Put the content on the canvas", size="sm")
            self._trouble = gr.HTML(elem_classes="trouble")
            self._editor = gr.ImageEditor(
                label="Canvas",
                type="numpy",
                sources=(),
                transforms=(),
                layers=False,
                brush=gr.Brush(default_size=40, colors=[RED], color_mode="fixed"),
                elem_id="canvas",
                buttons=[],
            )

    def wire(self, content: Any) -> None:
        """What happens."""
        self._put.click(self._shown, content, [self._editor, self._trouble], **RAW)

    def before(self, button: Any) -> Any:
        """A button's click, once what the brush has marked is kept in the visitor's `mask`."""
        return button.click(self._mark, self._editor, None, **PRIVATE)

    def _mark(self, drawn: Any, request: gr.Request) -> None:
        visitor = self._host.visitors.enter(request.session_hash)
        visitor.mask = mask.mask_of(drawn["layers"]) if drawn else None

    def _shown(self, content: Any, request: gr.Request) -> list[Any]:
        """The content, small, to be painted on."""
        try:
            path = self._host.content(self._host.visitors.enter(request.session_hash), path_of(content))
            pixels = images.load_image(path, max_pixels=self._host.limits.pixels)
        except NstError as error:
            return [gr.skip(), run_html.of_error(error)]
        height, width = pixels.shape[:2]
        small = images.resize(pixels, images.fit(height, width, min(LARGEST, max(height, width))))
        return [(small * 255).round().astype(np.uint8), ""]
