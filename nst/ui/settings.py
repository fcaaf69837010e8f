"""Build the settings panel: a preset, the form, and the settings of a finished picture."""

from __future__ import annotations

from typing import Any

import gradio as gr

from nst.errors import NstError
from nst.recipe.recipe import presets
from nst.ui import status_html
from nst.ui.gradio_events import PRIVATE, RAW, upload_path
from nst.ui.service import Service
from nst.ui.widgets import Fields


class Settings:
    """The settings panel. `inputs` are its components, and `values` maps keys to their values."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._fields = Fields(service.form)

    @property
    def inputs(self) -> list[Any]:
        """The components that hold values, in the order of `values`."""
        return self._fields.inputs

    def values(self, inputs: tuple[Any, ...]) -> dict[str, Any]:
        """Return the values of `inputs` by key."""
        return dict(zip(self._fields.widgets, inputs, strict=True))

    def build(self) -> None:
        """Create the components of the panel."""
        summaries_by_preset = presets()
        summaries = "; ".join(
            f"{name}: {words[:1].lower()}{words[1:].rstrip('.')}" for name, words in summaries_by_preset.items()
        )
        self._preset = gr.Dropdown(list(summaries_by_preset), value="default", label="Preset", info=summaries)
        for panel in self._service.form.panels:
            if not panel.title:
                self._fields.panel(panel)
            elif panel.parts:
                with gr.Accordion(panel.title, open=False):
                    self._fields.panel(panel)
        with gr.Accordion("Settings of a finished picture", open=False):
            self._finished = gr.File(
                label="Drop a picture made by nst, to use its settings", height=120, elem_id="finished"
            )
            self._loaded = gr.HTML(elem_id="loaded", elem_classes="optional")

    @property
    def messages(self) -> list[Any]:
        """The components that show results and errors."""
        return [self._loaded]

    @property
    def actions(self) -> list[Any]:
        """The events that start an action."""
        return [self._finished.upload]

    @property
    def changes(self) -> list[Any]:
        """The events of a visitor who changes a setting."""
        return [self._preset.input, *(widget.input for widget in self.inputs)]

    def wire(self) -> None:
        """Connect the components to their handlers."""
        fields = self._fields
        widgets = fields.widgets
        chosen = [self._preset, widgets["backend"], widgets["device"]]
        self._preset.input(self._choose, chosen, fields.outputs, **PRIVATE)
        for chooser in fields.choosers:
            widgets[chooser].change(self._showing(chooser), widgets[chooser], fields.boxes(chooser), **PRIVATE)
        limited = [widgets[name] for name in self._service.form.choices("")]
        widgets["backend"].input(self._limit, [widgets["backend"], *limited], limited, **PRIVATE)
        self._finished.upload(self._load, self._finished, [self._loaded, *fields.outputs], **RAW)

    def fill_from(self, button: Any, state: Any, values_of: Any) -> None:
        """Make a button fill the form with `values_of(request, state)`."""

        def fill(request: gr.Request, value: Any) -> list[Any]:
            return self._fields.filled(values_of(request, value))

        button.click(fill, state, self._fields.outputs, **PRIVATE)

    def _choose(self, name: str, backend: str, device: str) -> list[Any]:
        return self._fields.filled(self._service.form.preset(name, backend, device))

    def _showing(self, chooser: str) -> Any:
        def show(name: str) -> Any:
            updates = self._fields.show(chooser, name)
            return updates if len(updates) > 1 else updates[0]

        return show

    def _limit(self, backend: str, *values: Any) -> list[Any]:
        """Return updates of the fields that depend on the backend. An invalid value becomes the first valid choice."""
        choices = self._service.form.choices(backend)
        pairs = zip(choices.values(), values, strict=True)
        return [gr.update(choices=list(valid), value=old if old in valid else valid[0]) for valid, old in pairs]

    def _load(self, file: Any) -> list[Any]:
        try:
            recipe, missing = self._service.recipe_of(upload_path(file) or "")
        except NstError as error:
            return [status_html.error_html(error), *[gr.skip()] * len(self._fields.outputs)]
        words = status_html.status_line("The form now has the settings of this picture")
        warning = status_html.error_list([(missing, "")]) if missing else ""
        return [words + warning, *self._fields.filled(self._service.form.values(recipe))]
