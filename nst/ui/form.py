"""The page's form as data: a recipe's fields and every spec's options, in the order in which a person meets them.

Nothing here is about one plugin: what a spec declares is an entry of the form, with its help, bounds and choices.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
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
from nst.ui.field_text import as_text

CHOOSERS: Mapping[str, tuple[str, str, str]] = {
    "backend": ("backend", "", "backend_options"),
    "optimizer": ("optimizer", "", "optimizer_options"),
    "init": ("initializer", "", "init_options"),
    "style_loss": ("loss", "style", "style_loss_options"),
    "content_loss": ("loss", "content", "content_loss_options"),
}
"""The fields that name a spec: its kind, its role if it is a loss, and the field its options are in."""

PANELS: Mapping[str, tuple[str, ...]] = {
    "": ("backend", "weights", "size", "content_weight", "style_scale", "color", "device"),
    "Losses": ("style_weight", "style_loss", "style_layers", "content_loss", "content_layers", "tv_weight"),
    "Optimizer": ("optimizer", "steps", "until", "average"),
    "Start": ("init", "seed"),
    "Sizes and memory": ("levels", "sizes", "tile", "precision"),
}
"""Which fields stand together; those under no title are shown at once, and those named nowhere are "More"."""

SHARED = ("nst:total-variation", "nst:range")
"""The losses that have a field of their own."""

FormValues = Mapping[str, Any]


@dataclass(frozen=True)
class Entry:
    """One thing to choose. `key` is its place in the form's values, `kind` what a value is.

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
    """The options of one spec: shown while the `chooser` has this `name`, or always without a chooser."""

    chooser: str
    name: str
    summary: str
    entries: tuple[Entry, ...]


@dataclass(frozen=True)
class FormPanel:
    """What stands together under a title; what has none is shown at once, all others are folded."""

    title: str
    parts: tuple[Entry | Group, ...]

    def entries(self) -> Iterator[Entry]:
        """Every entry, those of groups too."""
        for part in self.parts:
            yield from part.entries if isinstance(part, Group) else (part,)


class Form:
    """Everything there is to choose with these plugins, and recipes made of what was chosen.

    `files` are the weight files that may be named beside the plugins' own sets: a page reads no other path.
    """

    def __init__(self, plugins: Plugins, files: tuple[str, ...] = ()) -> None:
        self._plugins, self._files = plugins, files
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
        """A field, and the options of whatever spec it names."""
        yield self._field(name)
        if name in CHOOSERS:
            for spelled, spec in self._offered(name).items():
                entries = tuple(_option(f"{CHOOSERS[name][2]}/{spelled}", spelled, each) for each in spec.options)
                if entries:
                    yield Group(name, spelled, spec.summary, entries)

    def _offered(self, chooser: str) -> dict[str, Spec]:
        kind, role, _ = CHOOSERS[chooser]
        return {name: spec for name, spec in self._names[kind].items() if role in ("", getattr(spec, "role", ""))}

    def _field(self, name: str) -> Entry:
        made = FIELDS[name].metadata
        default = as_text(name, getattr(Recipe(), name))
        entry = Entry(name, name.replace("_", " ").capitalize(), made["help"], KINDS.get(made["read"], "text"), default)
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
            weight = Entry(f"{key}/weight", f"{name}: weight", f"{spec.summary}; 0 leaves it out", "number", 0.0, (), 0)
            chosen = Entry(f"{key}/layers", f"{name}: layers", "L=W,…; empty for the usual layers", "text", "")
            options = tuple(_option(f"{key}/options", name, each) for each in spec.options)
            yield Group("", name, spec.summary, (weight, chosen, *options))

    def choices(self, backend: str) -> dict[str, tuple[str, ...]]:
        """By field, what can be chosen with a backend."""
        spec = self._names["backend"].get(backend)
        if not isinstance(spec, BackendSpec):
            return {"weights": ("auto",), "device": ("auto",), "precision": ("auto",), "pooling": ("max",)}
        return {
            "weights": ("auto", *(each.name for each in spec.weights), *(self._files if spec.files else ())),
            "device": spec.devices,
            "precision": ("auto", *spec.precisions) if spec.kind == "feature" else ("auto",),
            "pooling": spec.pooling,
        }

    def defaults(self) -> dict[str, Any]:
        """The form as it is at first."""
        return {key: entry.default for key, entry in self.entries.items()}

    def one_pass(self, backend: str) -> bool:
        """Whether a backend paints in one pass, so that little of the form means anything."""
        return getattr(self._names["backend"].get(backend), "kind", "") == "image"

    def recipe(self, chosen: FormValues) -> Recipe:
        """The recipe of the form's values, which may be those of some entries. Raises every mistake in them."""
        held = self.defaults() | {key: value for key, value in chosen.items() if value is not None}
        found = Findings()
        found.add(*(unknown("setting", key, self.entries) for key in chosen if key not in self.entries))
        given = {name: held[name] for name in FIELDS if name in held}
        for chooser, (_, _, field) in CHOOSERS.items():
            given[field] = self._options(held, f"{field}/{held[chooser]}")
        given["losses"] = [loss for group in self._extra_losses() if (loss := _extra(held, group))]
        if self.one_pass(str(held["backend"])):
            given = {name: value for name, value in given.items() if name in ONE_PASS}
        made = found.attempt(lambda: Recipe(**given))
        raise_all(found.errors)
        self.check(made)
        return made  # type: ignore[no-any-return]

    def _options(self, held: FormValues, prefix: str) -> dict[str, Any]:
        """The options under a prefix that are not as by default."""
        keys = [key for key in self.entries if key.startswith(f"{prefix}/")]
        return {key.rpartition("/")[2]: held[key] for key in keys if held[key] != self.entries[key].default}

    def check(self, recipe: Recipe) -> None:
        """Raise `UserError` where a recipe names a file: a page reads none but those it was told of."""
        found = Findings()
        sets = self.choices(recipe.backend)["weights"]
        found.add(*(unknown("weights", name, sets) for name in recipe.weights if name not in sets))
        if recipe.init not in self._names["initializer"] and self._names["initializer"]:
            found.add(unknown("initializer", recipe.init, self._names["initializer"]))
        raise_all(found.errors)

    def values(self, recipe: Recipe) -> dict[str, Any]:
        """The form's values of a recipe."""
        found = self.defaults() | {
            name: as_text(name, getattr(recipe, name)) for name in self.entries if name in FIELDS
        }
        for chooser, (_, _, field) in CHOOSERS.items():
            prefix = f"{field}/{getattr(recipe, chooser)}"
            found |= {f"{prefix}/{name}": value for name, value in getattr(recipe, field).items()}
        for loss in recipe.losses:
            key = f"losses/{loss.name}"
            found |= {f"{key}/weight": loss.weight, f"{key}/layers": as_text("style_layers", loss.layers)}
            found |= {f"{key}/options/{name}": value for name, value in loss.options.items()}
        return {key: value for key, value in found.items() if key in self.entries}

    def unshown(self, recipe: Recipe) -> str:
        """What of a recipe the form cannot hold, in words; "" where it holds all."""
        try:
            held = self.recipe(self.values(recipe))
        except UserError as error:
            return error.message
        there, here = recipe.to_dict(), held.to_dict()
        other = [name for name in FIELDS if there[name] != here[name]]
        return f"the form cannot hold all of its {', '.join(other)}" if other else ""

    def preset(self, name: str, backend: str, device: str = "auto") -> dict[str, Any]:
        """The form's values of a preset, for a backend."""
        given = preset(name)
        if self.one_pass(backend):
            given = {field: value for field, value in given.items() if field in ONE_PASS and field != "weights"}
        return self.values(Recipe(backend=backend, device=device).override(**given))


KINDS: Mapping[Any, str] = {
    fields.whole: "whole",
    fields.count: "whole",
    fields.number: "number",
    fields.fraction: "number",
}
"""What a field's value is, by its reader; of all others it is text."""


def _names(plugins: Plugins, kind: str) -> dict[str, Spec]:
    """The specs of a kind by name; those of one name are told apart by their distributions."""
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


def _extra(held: FormValues, group: Group) -> ExtraLoss | None:
    """A loss beside the style's and the content's, unless its weight is 0."""
    weight, layers, *options = group.entries
    if not fields.number(held[weight.key]):
        return None
    changed = {each.key.rpartition("/")[2]: held[each.key] for each in options if held[each.key] != each.default}
    return ExtraLoss(group.name, fields.number(held[weight.key]), fields.selection(held[layers.key]), changed)
