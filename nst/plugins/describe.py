"""What a spec declares, in words and as data: the one source of `nst plugins show` and of the reference pages.

Every field of a spec is told, one that is added later too: fields without words of their own here go by their names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from nst.io.download import megabytes
from nst.plugins.host import Plugin
from nst.plugins.options import allowed
from nst.specs import BackendSpec, MemoryModel, Option, OptionValue, Spec, WeightSet

MEANINGS: Mapping[tuple[str, Any], str] = {
    ("kind", "feature"): "feature (losses and an optimizer paint with what it sees)",
    ("kind", "image"): "image (paints in one pass, without losses or an optimizer)",
    ("files", ""): "none",
    ("memory", MemoryModel()): "not told",
    ("files", "nst.weights:NeutralFile"): "any in the neutral format (nst.weights:NeutralFile)",
    ("resumable", True): "yes (a run goes on from where it was)",
    ("resumable", False): "no (a run starts again)",
    ("carries", True): "yes (what it knows of one size helps at the next)",
    ("carries", False): "no (it starts afresh at each size)",
    ("isolated", True): "yes (a process that dies costs no picture but its own)",
    ("isolated", False): "no (a process that dies takes the rest with it)",
    ("remote", True): "yes (may paint on other machines)",
    ("remote", False): "no (paints on this machine)",
    ("role", "style"): "style",
    ("role", "content"): "content",
    ("role", "image"): "image (of the picture alone, without a target)",
    ("shape", "statistic"): "statistic (averages over positions, then compares)",
    ("shape", "pointwise"): "pointwise (compares at each position, then averages)",
    ("shape", "matched"): "matched (chooses a target for each position once per size, then compares there)",
    ("shape", "whole"): "whole (looks at the whole picture at once, so it cannot be computed in tiles)",
}
"""What the value of a field means, where it does not say so itself."""

LABELS = {
    "files": "weight files",
    "state_bytes": "memory of its state",
    "copies": "copies of the features it holds",
    "requires": "needs the modules",
    "install": "install with",
}
"""What a field is called, where not by its name."""

FEATURES_ONLY = ("architecture", "layers", "pooling", "padding")
"""Fields that mean nothing to a backend that paints in one pass."""


@dataclass(frozen=True)
class OptionText:
    """One option in words: its name, its default with the unit, what is allowed, and what it is for."""

    name: str
    default: str
    allowed: str
    help: str


@dataclass(frozen=True)
class WeightsText:
    """One weight set in words: its name, how large it is, and its facts by label."""

    name: str
    size: str
    facts: Mapping[str, str]


@dataclass(frozen=True)
class Description:
    """A spec in words: what it is called and whose it is, its facts by label, its weight sets and its options."""

    name: str
    kind: str
    owner: str
    summary: str
    facts: Mapping[str, str]
    weights: tuple[WeightsText, ...]
    options: tuple[OptionText, ...]


def describe(plugin: Plugin, kind: str, spec: Spec) -> Description:
    """Describe a spec of a plugin in words."""
    return Description(
        name=spec.name,
        kind=kind,
        owner=f"{plugin.distribution} {plugin.entry.version}",
        summary=spec.summary,
        facts=dict(_facts(spec)),
        weights=tuple(map(_weights, spec.weights if isinstance(spec, BackendSpec) else ())),
        options=tuple(map(_option, spec.options)),
    )


def as_data(plugin: Plugin, kind: str, spec: Spec) -> dict[str, Any]:
    """Return a spec as plain data for JSON; `type` is the kind of spec, `kind` the kind of a backend."""
    return {"type": kind, "plugin": plugin.distribution, "version": plugin.entry.version, **asdict(spec)}


def _facts(spec: Spec) -> Iterator[tuple[str, str]]:
    """Label and value of each field that is not told elsewhere, those of the kind before those of every spec."""
    common = [field.name for field in fields(Spec)]
    own = [field.name for field in fields(spec) if field.name not in common]
    left_out = FEATURES_ONLY if isinstance(spec, BackendSpec) and spec.kind == "image" else ()
    for name in (*own, "factory", "requires", "install"):
        text = _words(name, getattr(spec, name))
        if text and name not in left_out:
            yield LABELS.get(name, name), text


def _words(name: str, value: Any) -> str:
    """Return the value of a field in words; "" for a field that is shown elsewhere or is empty."""
    if name == "weights":
        return "" if value else "none"
    if name == "install":
        return f"pip install {value}" if value else ""
    if isinstance(value, tuple):
        return ", ".join(map(str, value))
    return MEANINGS.get((name, value)) or _plain(value)


def _plain(value: OptionValue | MemoryModel) -> str:
    if isinstance(value, MemoryModel):
        return f"{value.base / 1e9:.2f} GB, and {value.factor:g} times what its convolutions give"
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _weights(weights: WeightSet) -> WeightsText:
    size = f"{megabytes(weights.size)} to fetch" if weights.size else "ships with nst"
    named = {"origin": weights.origin, "license": weights.license, "preprocessing": weights.preprocessing}
    return WeightsText(weights.name, size, named | {"source": weights.source})


def _option(option: Option) -> OptionText:
    default = f"{_plain(option.default)} {option.unit}".strip() or "none"
    return OptionText(option.name, default, allowed(option), option.help)
