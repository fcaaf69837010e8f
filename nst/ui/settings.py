"""The part of the page that says how to paint: a preset, the form, and the settings of a finished picture."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.recipe import recipe
from nst.ui import run_html
from nst.ui.events import PRIVATE, RAW, path_of
from nst.ui.service import Service
from nst.ui.widgets import Fields


class Settings:
    """The form, and what fills it. `inputs` are its components, `values` what they hold."""

    def __init__(self, host: Service) -> None:
        self._host = host
        self._fields = Fields(host.form)

    @property
    def inputs(self) -> list[Any]:
        """Every component that holds a value, in the order of `values`."""
        return self._fields.inputs

    def values(self, held: tuple[Any, ...]) -> dict[str, Any]:
        """What `inputs` hold, by key."""
        return dict(zip(self._fields.widgets, held, strict=True))

    def build(self) -> None:
        """What is seen."""
        presets = recipe.presets()
        told = "; ".join(f"{name}: {words[:1].lower()}{words[1:].rstrip('.')}" for name, words in presets.items())
        self._preset = gr.Dropdown(list(presets), value="default", label="Preset", info=told)
        for panel in self._host.form.panels:
            if not panel.title:
                self._fields.panel(panel)
            elif panel.parts:
                with gr.Accordion(panel.title, open=False):
                    self._fields.panel(panel)
        with gr.Accordion("Settings of a finished picture", open=False):
            self._finished = gr.File(
                label="Drop a picture made by nst, to use its settings", height=120, elem_id="finished"
            )
            self._loaded = gr.HTML(elem_id="loaded")

    def wire(self) -> None:
        """What happens."""
        fields = self._fields
        widgets = fields.widgets
        chosen = [self._preset, widgets["backend"], widgets["device"]]
        self._preset.input(self._choose, chosen, fields.outputs, **PRIVATE)
        for chooser in fields.choosers:
            widgets[chooser].change(self._showing(chooser), widgets[chooser], fields.boxes(chooser), **PRIVATE)
        limited = [widgets[name] for name in self._host.form.choices("")]
        widgets["backend"].input(self._limit, [widgets["backend"], *limited], limited, **PRIVATE)
        self._finished.upload(self._load, self._finished, [self._loaded, *fields.outputs], **RAW)

    def fill_from(self, button: Any, state: Any, values_of: Any) -> None:
        """Have a button fill the form with `values_of(request, state)`."""

        def fill(request: gr.Request, held: Any) -> list[Any]:
            return self._fields.filled(values_of(request, held))

        button.click(fill, state, self._fields.outputs, **PRIVATE)

    def _choose(self, name: str, backend: str, device: str) -> list[Any]:
        return self._fields.filled(self._host.form.preset(name, backend, device))

    def _showing(self, chooser: str) -> Any:
        def show(name: str) -> Any:
            updates = self._fields.show(chooser, name)
            return updates if len(updates) > 1 else updates[0]

        return show

    def _limit(self, backend: str, *held: Any) -> list[Any]:
        """What can be chosen with another backend; what cannot be kept becomes the first of it."""
        offered = self._host.form.choices(backend)
        pairs = zip(offered.values(), held, strict=True)
        return [gr.update(choices=list(each), value=was if was in each else each[0]) for each, was in pairs]

    def _load(self, file: Any) -> list[Any]:
        try:
            found, missing = self._host.recipe_of(path_of(file) or "")
        except NstError as error:
            return [run_html.of_error(error), *[gr.skip()] * len(self._fields.outputs)]
        words = run_html.announced("The form has its settings")
        told = run_html.mistakes([(missing, "")]) if missing else ""
        return [words + told, *self._fields.filled(self._host.form.values(found))]
