"""Build the panel that starts runs and shows them: buttons, preview, progress and finished pictures."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.io import toml
from nst.ui import before_after, status_html
from nst.ui.gradio_events import AT_ONCE, PRIVATE, RAW, paths_of, upload_path
from nst.ui.mask_editor import MaskEditor
from nst.ui.run_state import RunState
from nst.ui.server_paths import without_folders
from nst.ui.service import PaintRequest, Service
from nst.ui.sessions import PaintedPicture, Visitor
from nst.ui.settings import Settings

PATIENCE = 0.5  # seconds between two updates of a run without news
REST = 0.5  # least seconds between two updates of the page


class PaintPanel:
    """The buttons Paint, Cancel and Continue, the preview, and the finished pictures."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self._service, self._settings = service, settings

    def build(self, below: Callable[[], None]) -> None:
        """Create the components of the panel. `below` creates the components below the buttons."""
        with gr.Row(elem_id="actions"):
            self._paint = gr.Button("Paint", variant="primary", min_width=80, elem_id="paint")
            self._cancel = gr.Button("Cancel", interactive=False, min_width=80, elem_id="cancel")
            self._resume = gr.Button("Continue", interactive=False, min_width=80, elem_id="continue")
        below()
        self._trouble = gr.HTML(elem_id="trouble", elem_classes="optional")
        self._preview = gr.HTML(elem_id="preview", elem_classes="optional")
        self._live = gr.HTML(elem_id="live", elem_classes="optional")
        self._slider = gr.HTML(elem_id="slider", elem_classes="optional")
        self._download = gr.DownloadButton("Download, with its recipe inside", visible=False, elem_id="download")
        self._gallery = gr.Gallery(
            label="Pictures of this session",
            type="filepath",
            interactive=False,
            columns=3,
            fit_columns=False,
            object_fit="cover",
            height="auto",
            visible=False,
            allow_preview=False,
            elem_id="gallery",
            buttons=[],
        )
        with gr.Column(visible=False) as self._about:
            self._recipe = gr.Code(label="How it was made", language=None, interactive=False, lines=3, buttons=["copy"])
            self._again = gr.Button("Use these settings", size="sm")
        self._shown = gr.State(-1)

    @property
    def messages(self) -> list[Any]:
        """The components that show errors."""
        return [self._trouble]

    @property
    def status(self) -> Any:
        """The component that shows the status, progress bar and loss curves of a run."""
        return self._live

    @property
    def actions(self) -> list[Any]:
        """The events that start an action."""
        return [self._paint.click, self._resume.click, self._again.click]

    @property
    def _picture(self) -> list[Any]:
        """The components of one finished picture, in the order of `_of`."""
        return [self._slider, self._download, self._about, self._recipe, self._shown]

    @property
    def _outcome(self) -> list[Any]:
        """The components that a run updates, in the order of `_painting`."""
        buttons = [self._paint, self._cancel, self._resume]
        return [*buttons, self._trouble, self._preview, self._live, self._gallery, *self._picture]

    def wire(self, content: Any, styles: Any, mask_editor: MaskEditor) -> None:
        """Connect the components to their handlers."""
        inputs = [content, styles, mask_editor.use, *self._settings.inputs]
        mask_editor.before(self._paint).then(self._start, inputs, self._outcome, **RAW, **AT_ONCE)
        self._resume.click(self._resume_run, None, self._outcome, **PRIVATE, **AT_ONCE)
        self._cancel.click(self._stop, None, self._cancel, **PRIVATE, **AT_ONCE)
        self._gallery.select(self._select, None, self._picture, **PRIVATE)
        self._settings.fill_from(self._again, self._shown, self._values_of)

    def _visitor(self, request: gr.Request) -> Visitor:
        return self._service.visitors.enter(request.session_hash)

    def _start(self, request: gr.Request, content: Any, styles: Any, use: str, *values: Any) -> Iterator[list[Any]]:
        visitor = self._visitor(request)
        paint_request = PaintRequest(
            upload_path(content), paths_of(styles), self._settings.values(values), use, visitor.mask
        )
        yield from self._watch(visitor, lambda: self._service.start(visitor, paint_request))

    def _resume_run(self, request: gr.Request) -> Iterator[list[Any]]:
        visitor = self._visitor(request)
        yield from self._watch(visitor, lambda: self._service.resume(visitor))

    def _watch(self, visitor: Visitor, start: Any) -> Iterator[list[Any]]:
        """Yield updates of the page while a run goes on, and the result at its end."""
        try:
            run: RunState = start()
        except NstError as error:
            yield [*[gr.skip()] * 3, status_html.error_html(error), *[gr.skip()] * 8]
            return
        version, shown = -1, None
        while not run.over and not visitor.gone:
            preview, shown = gr.skip() if run.preview is shown else status_html.preview_image(run), run.preview
            yield self._painting(run, preview)
            time.sleep(REST)
            version = run.wait(version, PATIENCE)
        if not visitor.gone:
            yield self._ended(visitor, run)

    @staticmethod
    def _painting(run: RunState, preview: Any) -> list[Any]:
        buttons = [gr.update(interactive=False), gr.update(interactive=not run.stopping), gr.update(interactive=False)]
        return [
            *buttons,
            "",
            preview,
            status_html.run_status(run),
            gr.skip(),
            "",
            *[gr.update(visible=False)] * 2,
            *[gr.skip()] * 2,
        ]

    def _ended(self, visitor: Visitor, run: RunState) -> list[Any]:
        finished = self._service.finish(visitor, run)
        more = run.checkpoint is not None
        buttons = [gr.update(interactive=True), gr.update(interactive=False), gr.update(interactive=more)]
        pictures = [(str(picture.path), picture.words) for picture in visitor.pictures]
        gallery = gr.update(value=pictures, visible=bool(pictures))
        return [*buttons, "", "", status_html.run_status(run), gallery, *self._of(finished, len(pictures) - 1)]

    @staticmethod
    def _of(picture: PaintedPicture | None, index: int) -> list[Any]:
        if picture is None:
            return [gr.skip()] * 5
        return [
            before_after.html(picture.content, picture.path),
            gr.update(value=str(picture.path), visible=True),
            gr.update(visible=True),
            without_folders(toml.dumps(picture.recipe.departures())) or "# all settings have their defaults\n",
            index,
        ]

    def _stop(self, request: gr.Request) -> Any:
        self._service.stop(self._visitor(request))
        return gr.update(interactive=False)

    def _select(self, chosen: gr.SelectData, request: gr.Request) -> list[Any]:
        return self._of(self._visitor(request).pictures[chosen.index], chosen.index)

    def _values_of(self, request: gr.Request, index: int) -> dict[str, Any]:
        return self._service.form.values(self._visitor(request).pictures[index].recipe)
