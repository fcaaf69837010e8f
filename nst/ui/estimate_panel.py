"""The part of the page that says what a picture will take before it is begun."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.ui import expectation, run_html
from nst.ui.commands import Errand
from nst.ui.events import AT_ONCE, RAW, path_of, paths_of
from nst.ui.service import Service, Wish
from nst.ui.sessions import Visitor
from nst.ui.settings import Settings


class EstimatePanel:
    """A button, and the answer."""

    def __init__(self, host: Service, settings: Settings) -> None:
        self._host, self._settings = host, settings

    def build(self) -> None:
        """What is seen."""
        self._ask = gr.Button("Estimate time and memory", size="sm", elem_id="estimate")
        self._answer = gr.HTML(elem_id="answer")

    def wire(self, content: Any, styles: Any) -> None:
        """What happens."""
        self._ask.click(self._find_out, [content, styles, *self._settings.inputs], self._answer, **RAW, **AT_ONCE)

    def _find_out(self, request: gr.Request, content: Any, styles: Any, *held: Any) -> Iterator[str]:
        visitor = self._host.visitors.enter(request.session_hash)
        wish = Wish(path_of(content), paths_of(styles), self._settings.values(held))
        try:
            errand = self._host.run_errand(visitor, wish, self._errand)
        except NstError as error:
            yield run_html.of_error(error)
            return
        for place in self._host.waiting(visitor):
            yield run_html.announced(f"Waiting: {place} before this one" if place else "Estimating")
        if not visitor.gone:
            yield self._told(errand)

    def _errand(self, visitor: Visitor, content: str, styles: list[str], wish: Wish) -> Errand:
        recipe, largest = self._host.form.recipe(wish.values), self._host.limits.pixels
        return expectation.ask(content, styles, recipe, visitor.folder, largest)

    @staticmethod
    def _told(errand: Errand) -> str:
        if errand.code != 0:
            return run_html.mistakes(errand.mistakes())
        return run_html.announced(expectation.words(errand.said[0]))
