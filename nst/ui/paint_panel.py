"""The part of the page where a picture comes to be: the buttons, the run as it goes, and what has been painted."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.io import toml
from nst.ui import before_after, run_html
from nst.ui.events import AT_ONCE, PRIVATE, RAW, path_of, paths_of
from nst.ui.mask_editor import MaskEditor
from nst.ui.run_state import RunState
from nst.ui.service import Service, Wish
from nst.ui.sessions import PaintedPicture, Visitor
from nst.ui.settings import Settings

PATIENCE = 0.5  # seconds between two looks at a run in which nothing happens
REST = 0.5  # seconds between two that are shown, however fast the steps are


class Easel:
    """Paint, Cancel, Continue; the picture as it forms; those that are done."""

    def __init__(self, host: Service, settings: Settings) -> None:
        self._host, self._settings = host, settings

    def build(self, below: Callable[[], None]) -> None:
        """What is seen; `below` builds what stands between the buttons and the run."""
        with gr.Row(elem_id="actions"):
            self._paint = gr.Button("Paint", variant="primary", min_width=80, elem_id="paint")
            self._cancel = gr.Button("Cancel", interactive=False, min_width=80, elem_id="cancel")
            self._resume = gr.Button("Continue", interactive=False, min_width=80, elem_id="continue")
        below()
        self._trouble = gr.HTML(elem_classes="trouble", elem_id="trouble")
        self._preview = gr.HTML(elem_id="preview")
        self._live = gr.HTML(elem_id="live")
        self._slider = gr.HTML(elem_id="slider")
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
            self._made = gr.Code(label="How it was made", language=None, interactive=False, lines=3, buttons=["copy"])
            self._again = gr.Button("Use these settings", size="sm")
        self._shown = gr.State(-1)

    @property
    def _picture(self) -> list[Any]:
        """What shows one picture, in the order of `_of`."""
        return [self._slider, self._download, self._about, self._made, self._shown]

    @property
    def _outcome(self) -> list[Any]:
        """What changes while a picture is painted, in the order of `_painting`."""
        buttons = [self._paint, self._cancel, self._resume]
        return [*buttons, self._trouble, self._preview, self._live, self._gallery, *self._picture]

    def wire(self, content: Any, styles: Any, canvas: MaskEditor) -> None:
        """What happens."""
        wished = [content, styles, canvas.use, *self._settings.inputs]
        canvas.before(self._paint).then(self._start, wished, self._outcome, **RAW, **AT_ONCE)
        self._resume.click(self._go_on, None, self._outcome, **PRIVATE, **AT_ONCE)
        self._cancel.click(self._stop, None, self._cancel, **PRIVATE, **AT_ONCE)
        self._gallery.select(self._select, None, self._picture, **PRIVATE)
        self._settings.fill_from(self._again, self._shown, self._values_of)

    def _visitor(self, request: gr.Request) -> Visitor:
        return self._host.visitors.enter(request.session_hash)

    def _start(self, request: gr.Request, content: Any, styles: Any, use: str, *held: Any) -> Iterator[list[Any]]:
        visitor = self._visitor(request)
        wish = Wish(path_of(content), paths_of(styles), self._settings.values(held), use, visitor.mask)
        yield from self._watch(visitor, lambda: self._host.start(visitor, wish))

    def _go_on(self, request: gr.Request) -> Iterator[list[Any]]:
        visitor = self._visitor(request)
        yield from self._watch(visitor, lambda: self._host.resume(visitor))

    def _watch(self, visitor: Visitor, begin: Any) -> Iterator[list[Any]]:
        """A run as it goes, and what has become of it."""
        try:
            run: RunState = begin()
        except NstError as error:
            yield [*[gr.skip()] * 3, run_html.of_error(error), *[gr.skip()] * 8]
            return
        version, shown = -1, None
        while not run.over and not visitor.gone:
            preview, shown = gr.skip() if run.preview is shown else run_html.picture(run), run.preview
            yield self._painting(run, preview)
            time.sleep(REST)
            version = run.wait(version, PATIENCE)
        if not visitor.gone:
            yield self._ended(visitor, run)

    @staticmethod
    def _painting(run: RunState, preview: Any) -> list[Any]:
        buttons = [gr.update(interactive=False), gr.update(interactive=not run.stopping), gr.update(interactive=False)]
        return [*buttons, "", preview, run_html.shown(run), gr.skip(), "", gr.update(visible=False), *[gr.skip()] * 3]

    def _ended(self, visitor: Visitor, run: RunState) -> list[Any]:
        picture = self._host.finish(visitor, run)
        more = run.checkpoint is not None
        buttons = [gr.update(interactive=True), gr.update(interactive=False), gr.update(interactive=more)]
        pictures = [(str(each.path), each.words) for each in visitor.pictures]
        gallery = gr.update(value=pictures, visible=bool(pictures))
        return [*buttons, "", "", run_html.shown(run), gallery, *self._of(picture, len(pictures) - 1)]

    @staticmethod
    def _of(picture: PaintedPicture | None, index: int) -> list[Any]:
        if picture is None:
            return [gr.skip()] * 5
        return [
            before_after.html(picture.content, picture.path),
            gr.update(value=str(picture.path), visible=True),
            gr.update(visible=True),
            toml.dumps(picture.recipe.departures()) or "# every value is the default\n",
            index,
        ]

    def _stop(self, request: gr.Request) -> Any:
        self._host.stop(self._visitor(request))
        return gr.update(interactive=False)

    def _select(self, chosen: gr.SelectData, request: gr.Request) -> list[Any]:
        return self._of(self._visitor(request).pictures[chosen.index], chosen.index)

    def _values_of(self, request: gr.Request, index: int) -> dict[str, Any]:
        return self._host.form.values(self._visitor(request).pictures[index].recipe)
