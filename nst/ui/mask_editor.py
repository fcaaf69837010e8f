"""Build the panel where a brush marks a part of the picture."""

from __future__ import annotations

from typing import Any

import gradio as gr
import numpy as np

from nst import images
from nst.errors import NstError
from nst.ui import mask, status_html
from nst.ui.gradio_events import PRIVATE, RAW, upload_path
from nst.ui.service import Service

LARGEST = 768  # pixels, long side of the canvas
RED = "#e11d48"


class MaskEditor:
    """The content image on a canvas with a brush. `use` is the component that chooses the brush mode."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.use: Any = None

    def build(self) -> None:
        """Create the components of the panel."""
        with gr.Accordion("Only a part of the picture", open=False):
            uses = [(words, name) for name, words in mask.USES.items()]
            self.use = gr.Radio(uses, value="nothing", label="The marked part …", elem_id="brush")
            self._put = gr.Button("Put the content on the canvas", size="sm")
            self._trouble = gr.HTML(elem_id="brush-trouble", elem_classes="optional")
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

    @property
    def messages(self) -> list[Any]:
        """The components that show results and errors."""
        return [self._trouble]

    @property
    def actions(self) -> list[Any]:
        """The events that start an action."""
        return [self._put.click]

    def wire(self, content: Any) -> None:
        """Connect the button to its handler."""
        self._put.click(self._canvas_content, content, [self._editor, self._trouble], **RAW)

    def before(self, button: Any) -> Any:
        """Return a button's click event that first stores the marked part in the visitor's `mask`."""
        return button.click(self._mark, self._editor, None, **PRIVATE)

    def _mark(self, drawn: Any, request: gr.Request) -> None:
        visitor = self._service.visitors.enter(request.session_hash)
        visitor.mask = mask.mask_of(drawn["layers"]) if drawn else None

    def _canvas_content(self, content: Any, request: gr.Request) -> list[Any]:
        """Return the content at canvas size, and errors."""
        try:
            path = self._service.content(self._service.visitors.enter(request.session_hash), upload_path(content))
            pixels = images.load_image(path, max_pixels=self._service.limits.pixels)
        except NstError as error:
            return [gr.skip(), status_html.error_html(error)]
        height, width = pixels.shape[:2]
        small = images.resize(pixels, images.fit(height, width, min(LARGEST, max(height, width))))
        return [(small * 255).round().astype(np.uint8), ""]
