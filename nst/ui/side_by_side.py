"""The part of the page that sets backends side by side on the same pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from nst.errors import NstError, UserError
from nst.ui import comparing, live
from nst.ui.events import AT_ONCE, PRIVATE, RAW, path_of, paths_of
from nst.ui.host import Host, Wish
from nst.ui.settings import Settings
from nst.ui.visitor import Visitor

PATIENCE = 1.0  # seconds between two looks at the queue


class SideBySide:
    """Which backends, the button, and the report; pictures and settings are those of the page."""

    def __init__(self, host: Host, settings: Settings) -> None:
        self._host, self._settings = host, settings

    def build(self) -> None:
        """What is seen."""
        with gr.Accordion("Backends side by side", open=False):
            names = list(self._host.form.entries["backend"].choices)
            self._backends = gr.CheckboxGroup(
                names, label="Backends", info="the same pictures and settings, each backend in a process of its own"
            )
            with gr.Row():
                self._compare = gr.Button("Compare", min_width=80, elem_id="compare")
                self._end = gr.Button("Stop", interactive=False, min_width=80)
            self._report = gr.HTML(elem_id="report")

    def wire(self, content: Any, styles: Any) -> None:
        """What happens."""
        wished = [self._backends, content, styles, *self._settings.inputs]
        outcome = [self._compare, self._end, self._report]
        self._compare.click(self._start, wished, outcome, **RAW, **AT_ONCE)
        self._end.click(self._stop, None, self._end, **PRIVATE)

    def _start(
        self, request: gr.Request, backends: list[str], content: Any, styles: Any, *held: Any
    ) -> Iterator[list[Any]]:
        visitor = self._host.visitors.enter(request.session_hash)
        wish = Wish(path_of(content), paths_of(styles), self._settings.values(held))
        try:
            folder = self._begin(visitor, wish, backends or [])
        except NstError as error:
            yield self._shown(live.of_error(error), busy=False)
            return
        yield from self._watch(visitor, folder)

    def _begin(self, visitor: Visitor, wish: Wish, backends: list[str]) -> Path:
        if visitor.errand is not None and visitor.errand.ticket and not visitor.errand.ticket.over:
            raise UserError("this page is comparing already", "stop it first")
        recipe = self._host.form.recipe(wish.values)
        pictures, styles = self._host.pictures(visitor, wish)
        folder = Path(tempfile.mkdtemp(prefix="compare-", dir=visitor.folder))
        largest = self._host.limits.pixels
        visitor.errand = comparing.compare(pictures, styles, backends, recipe, folder, largest)
        self._host.studio.send(visitor.errand, recipe.device)
        return folder

    def _watch(self, visitor: Visitor, folder: Path) -> Iterator[list[Any]]:
        errand = visitor.errand
        assert errand is not None
        assert errand.ticket is not None
        while not self._host.studio.desk.wait(errand.ticket, PATIENCE) and not visitor.gone:
            place = errand.ticket.place
            words = f"Waiting: {place} before this one" if place else "Comparing: each backend paints, then is judged"
            yield self._shown(live.announced(words), busy=True)
        found = comparing.page(folder)
        told = live.mistakes(errand.mistakes()) if errand.mistakes() and not found else ""
        ended = live.announced("Stopped" if errand.stopped else "Compared" if found else "Failed")
        yield self._shown(ended + told + found, busy=False)

    @staticmethod
    def _shown(html: str, busy: bool) -> list[Any]:
        return [gr.update(interactive=not busy), gr.update(interactive=busy), html]

    def _stop(self, request: gr.Request) -> Any:
        visitor = self._host.visitors.enter(request.session_hash)
        if visitor.errand is not None:
            visitor.errand.stop()
        return gr.update(interactive=False)
