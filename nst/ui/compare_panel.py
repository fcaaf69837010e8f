"""The part of the page that sets backends side by side on the same pictures."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.ui import comparing, run_html
from nst.ui.commands import Errand
from nst.ui.events import AT_ONCE, PRIVATE, RAW, path_of, paths_of
from nst.ui.service import Service, Wish
from nst.ui.sessions import Visitor
from nst.ui.settings import Settings


class SideBySide:
    """Which backends, the button, and the report; pictures and settings are those of the page."""

    def __init__(self, host: Service, settings: Settings) -> None:
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
        folder = Path(tempfile.mkdtemp(prefix="compare-", dir=visitor.folder))
        try:
            errand = self._host.run_errand(visitor, wish, partial(self._errand, backends or [], folder))
        except NstError as error:
            yield self._shown(run_html.of_error(error), busy=False)
            return
        for place in self._host.waiting(visitor):
            words = f"Waiting: {place} before this one" if place else "Comparing: each backend paints, then is judged"
            yield self._shown(run_html.announced(words), busy=True)
        if not visitor.gone:
            yield self._shown(self._told(errand, comparing.page(folder)), busy=False)

    def _errand(
        self, backends: list[str], folder: Path, visitor: Visitor, content: str, styles: list[str], wish: Wish
    ) -> Errand:
        recipe, largest = self._host.form.recipe(wish.values), self._host.limits.pixels
        return comparing.compare(content, styles, backends, recipe, folder, largest)

    @staticmethod
    def _told(errand: Errand, report: str) -> str:
        ended = run_html.announced("Stopped" if errand.stopped else "Compared" if report else "Failed")
        wrong = errand.mistakes() if not (report or errand.stopped) else []
        return ended + (run_html.mistakes(wrong) if wrong else "") + report

    @staticmethod
    def _shown(html: str, busy: bool) -> list[Any]:
        return [gr.update(interactive=not busy), gr.update(interactive=busy), html]

    def _stop(self, request: gr.Request) -> Any:
        visitor = self._host.visitors.enter(request.session_hash)
        if visitor.errand is not None:
            visitor.errand.stop()
        return gr.update(interactive=False)
