"""What a program can ask of the page, with gradio_client: its settings, and a picture."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import gradio as gr
from gradio import FileData

from nst.errors import Mistakes, NstError
from nst.ui.events import AT_ONCE
from nst.ui.run_state import RunState
from nst.ui.service import Service, Wish

PATIENCE = 1.0  # seconds between two looks at whether who asked is still there


class Endpoints:
    """`/settings` and `/paint`."""

    def __init__(self, host: Service) -> None:
        self._host = host

    def wire(self) -> None:
        """Offer them."""
        gr.api(self.settings, api_name="settings")
        gr.api(self.paint, api_name="paint", **AT_ONCE)

    def settings(self) -> list[dict[str, Any]]:
        """Every setting: its `key`, what it is for (`help`), its `default`, its `choices` if it has any."""
        return [asdict(entry) for entry in self._host.form.entries.values()]

    def paint(
        self,
        request: gr.Request,
        content: FileData,
        styles: list[FileData],
        settings: dict[str, Any] = {},  # noqa: B006 - Gradio shows it, and nobody writes to it
    ) -> FileData:
        """The content painted in the manner of the styles, as a PNG with its recipe inside. `settings` are by key."""
        visitor = self._host.visitors.enter(request.session_hash)
        wish = Wish(content["path"], [each["path"] for each in styles], settings)
        try:
            run = self._host.start(visitor, wish)
        except NstError as error:
            raise gr.Error(_words(error), print_exception=False) from None
        version = -1
        while not run.over:
            version = run.wait(version, PATIENCE)
        return _answer(run)


def _answer(run: RunState) -> Any:
    if run.failed is not None:
        raise gr.Error(run.failed.message, print_exception=False)
    return FileData(path=str(run.output), orig_name=run.output.name).model_dump()


def _words(error: NstError) -> str:
    several = error.errors if isinstance(error, Mistakes) else (error,)
    return "; ".join(f"{each.message} ({each.hint})" if each.hint else each.message for each in several)
