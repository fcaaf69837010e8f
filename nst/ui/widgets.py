"""Create Gradio components for the entries of the form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from nst.ui.form import Entry, Form, FormPanel, Group

STEP = 0.01  # what an arrow key adds to a number


class Fields:
    """The components of the form: `widgets` by key, and groups of options that appear when their spec is chosen."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self.widgets: dict[str, Any] = {}
        self._groups: list[tuple[Group, Any]] = []

    @property
    def inputs(self) -> list[Any]:
        """The components that hold values."""
        return list(self.widgets.values())

    @property
    def outputs(self) -> list[Any]:
        """The components that `filled` updates: inputs and groups of options."""
        return [*self.inputs, *(box for chooser in self.choosers for box in self.boxes(chooser))]

    @property
    def choosers(self) -> list[str]:
        """The fields whose values decide which options are shown."""
        return list(dict.fromkeys(group.chooser for group, _ in self._groups if group.chooser))

    def panel(self, panel: FormPanel) -> None:
        """Create the components of a panel, in the order of the form."""
        with gr.Row(elem_classes="fields"):
            for part in panel.parts:
                if isinstance(part, Group):
                    self._group(part)
                else:
                    self.widgets[part.key] = widget(part)

    def _group(self, group: Group) -> None:
        shown = not group.chooser or self._form.entries[group.chooser].default == group.name
        with gr.Group(visible=shown, elem_classes="options") as box, gr.Row(elem_classes="fields"):
            for entry in group.entries:
                self.widgets[entry.key] = widget(entry)
        self._groups.append((group, box))

    def boxes(self, chooser: str) -> list[Any]:
        """Return the groups of options that belong to a field."""
        return [box for group, box in self._groups if group.chooser == chooser]

    def show(self, chooser: str, name: str) -> list[Any]:
        """Return updates of `boxes` that show only the options of the spec `name`."""
        return [gr.update(visible=group.name == name) for group, _ in self._groups if group.chooser == chooser]

    def filled(self, values: Mapping[str, Any]) -> list[Any]:
        """Return updates of `outputs` to these values, with the choices of their backend."""
        choices = self._form.choices(str(values.get("backend", "")))
        shown = [update for chooser in self.choosers for update in self.show(chooser, str(values.get(chooser)))]
        return [*(_filled(values.get(key), choices.get(key)) for key in self.widgets), *shown]


def _filled(value: Any, choices: tuple[str, ...] | None) -> Any:
    return gr.update(value=value) if choices is None else gr.update(value=value, choices=list(choices))


def widget(entry: Entry) -> Any:
    """Return the component of an entry, with its label and help text."""
    options: dict[str, Any] = {"label": entry.label, "info": entry.help, "value": entry.default, "min_width": 200}
    if entry.kind == "choice":
        return gr.Dropdown(list(entry.choices), allow_custom_value=entry.free, filterable=entry.free, **options)
    if entry.kind == "yes":
        return gr.Checkbox(**options)
    if entry.kind in ("whole", "number"):
        step = {"precision": 0} if entry.kind == "whole" else {"step": STEP}
        return gr.Number(minimum=entry.minimum, maximum=entry.maximum, **step, **options)
    return gr.Textbox(max_lines=1, **options)
