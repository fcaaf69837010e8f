"""Describe the form of the page as data: the fields of a recipe and the options of every spec, in display order.

The form names no plugin: every option that a spec declares becomes an entry with its help, bounds and choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst.errors import Findings, UserError, raise_all, unknown
from nst.images import color_transfer
from nst.job.validation import ONE_PASS
from nst.plugins.host import Plugins
from nst.plugins.options import allowed
from nst.recipe import fields
from nst.recipe.fields import ExtraLoss
from nst.recipe.recipe import FIELDS, Recipe, preset
from nst.specs import BackendSpec, Option, Spec
from nst.ui.recipe_text import as_text

CHOOSERS: Mapping[str, tuple[str, str, str]] = {
    "backend": ("backend", "", "backend_options"),
    "optimizer": ("optimizer", "", "optimizer_options"),
    "init": ("initializer", "", "init_options"),
    "style_loss": ("loss", "style", "style_loss_options"),
    "content_loss": ("loss", "content", "content_loss_options"),
}
"""The fields that name a spec, with the spec's kind, the role of a loss, and the field of the options."""

PANELS: Mapping[str, tuple[str, ...]] = {
    "": ("backend", "weights", "size", "content_weight", "style_scale", "color", "device"),
    "Losses": ("style_weight", "style_loss", "style_layers", "content_loss", "content_layers", "tv_weight"),
    "Optimizer": ("optimizer", "steps", "until", "average"),
    "Start": ("init", "seed"),
    "Sizes and memory": ("levels", "sizes", "tile", "precision"),
}
"""The fields of each panel. Fields without a title are always visible; fields of no panel are in "More"."""

SHARED = ("nst:total-variation", "nst:range")
"""The losses with a recipe field of their own."""

FormValues = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One setting. `key` is its key in the form's values, and `kind` is the type of its value.

    A "choice" is one of `choices`, or for `free` any text; "yes" is a bool, "whole" an int, "number" a float.
    """

    key: str
    label: str
    help: str
    kind: str
    default: Any
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    free: bool = False


@dataclass(frozen=True)
class Group:
    """The options of one spec. They are visible while the `chooser` has this `name`, or always without a chooser."""

    chooser: str
    name: str
    summary: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class FormPanel:
    """Entries under one title. Panels with a title are folded at first."""

    title: str
    parts: tuple[Entry | Group, ...]

    def entries(self) -> Iterator[Entry]:
        """Yield every entry, including the entries of groups."""
        for part in self.parts:
            yield from part.entries if isinstance(part, Group) else (part,)


class Form:
    """The form for a set of plugins, and the conversion between its values and recipes.

    `files` are the allowed weight files beside the plugins' weight sets. The form shows their names without folders.
    The page reads no other path.
    """

    def __init__(self, plugins: Plugins, files: tuple[str, ...] = ()) -> None:
        self._plugins, self._files = plugins, {Path(file).name: file for file in files}
        self._names = {kind: _names(plugins, kind) for kind in ("backend", "optimizer", "initializer", "loss")}
        self.panels = tuple(self._panels())
        self.entries = {entry.key: entry for panel in self.panels for entry in panel.entries()}

    def _panels(self) -> Iterator[FormPanel]:
        nested = {options for _, _, options in CHOOSERS.values()} | {"losses"}
        for title, names in PANELS.items():
            yield FormPanel(title, tuple(part for name in names for part in self._parts(name)))
        yield FormPanel("More losses", tuple(self._extra_losses()))
        placed = {name for names in PANELS.values() for name in names} | nested
        yield FormPanel("More", tuple(part for name in FIELDS if name not in placed for part in self._parts(name)))

    def _parts(self, name: str) -> Iterator[Entry | Group]:
        """Yield a field and the options of the specs it can name."""
        yield self._field(name)
        if name in CHOOSERS:
            for spelled, spec in self._offered(name).items():
                entries = tuple(_option(f"{CHOOSERS[name][2]}/{spelled}", spelled, option) for option in spec.options)
                if entries:
                    yield Group(name, spelled, spec.summary, entries)

    def _offered(self, chooser: str) -> dict[str, Spec]:
        kind, role, _ = CHOOSERS[chooser]
        return {name: spec for name, spec in self._names[kind].items() if role in ("", getattr(spec, "role", ""))}

    def _field(self, name: str) -> Entry:
        metadata = FIELDS[name].metadata
        default = as_text(name, getattr(Recipe(), name))
        entry = Entry(
            name, name.replace("_", " ").capitalize(), metadata["help"], KINDS.get(metadata["read"], "text"), default
        )
        if name in CHOOSERS:
            return replace(entry, kind="choice", choices=tuple(self._offered(name)))
        if name == "color":
            return replace(entry, kind="choice", choices=tuple(color_transfer.MODES))
        choices = self.choices(Recipe().backend).get(name)
        return entry if choices is None else replace(entry, kind="choice", choices=choices, free=name == "weights")

    def _extra_losses(self) -> Iterator[Group]:
        for name, spec in self._names["loss"].items():
            if name in {shared.partition(":")[2] for shared in SHARED}:
                continue
            key = f"losses/{name}"
            weight = Entry(
                f"{key}/weight", f"{name}: weight", f"{spec.summary}; 0 omits the loss", "number", 0.0, (), 0
            )
            chosen = Entry(f"{key}/layers", f"{name}: layers", "L=W,…; empty for the default layers", "text", "")
            options = tuple(_option(f"{key}/options", name, option) for option in spec.options)
            yield Group("", name, spec.summary, (weight, chosen, *options))

    def choices(self, backend: str) -> dict[str, tuple[str, ...]]:
        """Return the choices of each field that depends on the backend."""
        spec = self._names["backend"].get(backend)
        if not isinstance(spec, BackendSpec):
            return {"weights": ("auto",), "device": ("auto",), "precision": ("auto",), "pooling": ("max",)}
        return {
            "weights": (
                "auto",
                *(weight_set.name for weight_set in spec.weights),
                *(self._files if spec.files else ()),
            ),
            "device": spec.devices,
            "precision": ("auto", *spec.precisions) if spec.kind == "feature" else ("auto",),
            "pooling": spec.pooling,
        }

    def defaults(self) -> dict[str, Any]:
        """Return the default values of the form."""
        return {key: entry.default for key, entry in self.entries.items()}

    def one_pass(self, backend: str) -> bool:
        """Return whether a backend stylizes in one pass, so that only the fields in `ONE_PASS` apply."""
        return getattr(self._names["backend"].get(backend), "kind", "") == "image"

    def recipe(self, chosen: FormValues) -> Recipe:
        """Return the recipe of the form's values. Missing values are defaults. Raise all errors together."""
        values = self.defaults() | {key: value for key, value in chosen.items() if value is not None}
        findings = Findings()
        findings.add(*(unknown("setting", key, self.entries) for key in chosen if key not in self.entries))
        fields_by_name = {name: values[name] for name in FIELDS if name in values}
        for chooser, (_, _, field) in CHOOSERS.items():
            fields_by_name[field] = self._options(values, f"{field}/{values[chooser]}")
        fields_by_name["losses"] = [loss for group in self._extra_losses() if (loss := _extra(values, group))]
        if self.one_pass(str(values["backend"])):
            fields_by_name = {name: value for name, value in fields_by_name.items() if name in ONE_PASS}
        recipe = findings.attempt(lambda: Recipe(**fields_by_name))
        raise_all(findings.errors)
        self.check(recipe)
        return _with_weights(recipe, self._files)

    def _options(self, values: FormValues, prefix: str) -> dict[str, Any]:
        """Return the options under a prefix that differ from their defaults."""
        keys = [key for key in self.entries if key.startswith(f"{prefix}/")]
        return {key.rpartition("/")[2]: values[key] for key in keys if values[key] != self.entries[key].default}

    def check(self, recipe: Recipe) -> None:
        """Raise `UserError` if a recipe names a file that the page may not read."""
        findings = Findings()
        sets = self.choices(recipe.backend)["weights"]
        findings.add(*(unknown("weights", name, sets) for name in recipe.weights if name not in sets))
        if recipe.init not in self._names["initializer"] and self._names["initializer"]:
            findings.add(unknown("initializer", recipe.init, self._names["initializer"]))
        raise_all(findings.errors)

    def values(self, recipe: Recipe) -> dict[str, Any]:
        """Return the form's values for a recipe."""
        recipe = _with_weights(recipe, {file: name for name, file in self._files.items()})
        values = self.defaults() | {
            name: as_text(name, getattr(recipe, name)) for name in self.entries if name in FIELDS
        }
        for chooser, (_, _, field) in CHOOSERS.items():
            prefix = f"{field}/{getattr(recipe, chooser)}"
            values |= {f"{prefix}/{name}": value for name, value in getattr(recipe, field).items()}
        for loss in recipe.losses:
            key = f"losses/{loss.name}"
            values |= {f"{key}/weight": loss.weight, f"{key}/layers": as_text("style_layers", loss.layers)}
            values |= {f"{key}/options/{name}": value for name, value in loss.options.items()}
        return {key: value for key, value in values.items() if key in self.entries}

    def unshown(self, recipe: Recipe) -> str:
        """Return a message about fields that the form cannot show, or "" if it shows the full recipe."""
        try:
            shown = self.recipe(self.values(recipe))
        except UserError as error:
            return error.message
        original, restored = recipe.to_dict(), shown.to_dict()
        other = [name for name in FIELDS if original[name] != restored[name]]
        return f"the form cannot show all values of {', '.join(other)}" if other else ""

    def preset(self, name: str, backend: str, device: str = "auto") -> dict[str, Any]:
        """Return the form's values for a preset and a backend."""
        fields_by_name = preset(name)
        if self.one_pass(backend):
            fields_by_name = {
                field: value for field, value in fields_by_name.items() if field in ONE_PASS and field != "weights"
            }
        return self.values(Recipe(backend=backend, device=device).override(**fields_by_name))


def _with_weights(recipe: Recipe, names: Mapping[str, str]) -> Recipe:
    """Return a recipe with some of its weights renamed."""
    return recipe.override(weights=[names.get(name, name) for name in recipe.weights])


KINDS: Mapping[Any, str] = {
    fields.whole: "whole",
    fields.count: "whole",
    fields.number: "number",
    fields.fraction: "number",
}
"""The kind of a field's value by the field's reader. Other fields are text."""


def _names(plugins: Plugins, kind: str) -> dict[str, Spec]:
    """Return the specs of a kind by name. Specs with equal names are prefixed with their distributions."""
    offered = list(plugins.offered(kind))
    named = [spec.name for _, spec in offered]
    return {
        spec.name if named.count(spec.name) == 1 else f"{plugin.distribution}:{spec.name}": spec
        for plugin, spec in offered
    }


def _option(prefix: str, owner: str, option: Option) -> Entry:
    kind = {bool: "yes", int: "whole", float: "number", str: "text"}[type(option.default)]
    return Entry(
        f"{prefix}/{option.name}",
        f"{owner}: {option.name.replace('_', ' ')}{f' ({option.unit})' if option.unit else ''}",
        f"{option.help} ({allowed(option)})",
        "choice" if option.choices else kind,
        option.default,
        option.choices,
        option.minimum,
        option.maximum,
    )


def _extra(values: FormValues, group: Group) -> ExtraLoss | None:
    """Return an additional loss, or None if its weight is 0."""
    weight, layers, *options = group.entries
    if not fields.number(values[weight.key]):
        return None
    changed = {
        entry.key.rpartition("/")[2]: values[entry.key] for entry in options if values[entry.key] != entry.default
    }
    return ExtraLoss(group.name, fields.number(values[weight.key]), fields.selection(values[layers.key]), changed)
