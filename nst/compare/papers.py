"""The experiments of papers as data: `nst/recipe/presets/papers/NAME.toml`, each a figure in one or several panels."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any

from nst.errors import unknown


@dataclass(frozen=True)
class PaperPanel:
    """Pictures shown together: what is varied, written as for `--vary`, and the recipe's fields it needs."""

    title: str = "Pictures"
    note: str = ""
    vary: Sequence[str] = ()
    recipe: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Paper:
    """An experiment: where it was published, the preset it begins from, and in what ours departs from it."""

    name: str
    title: str
    source: str
    preset: str
    departures: Sequence[str]
    panels: Sequence[PaperPanel]


def names() -> list[str]:
    """List the names of the experiments that come with nst."""
    files = (resources.files("nst.recipe") / "presets" / "papers").iterdir()
    return sorted(file.name.removesuffix(".toml") for file in files if file.name.endswith(".toml"))


def find(name: str) -> Paper:
    """Read an experiment by its name. Raises `UserError` for an unknown name."""
    if name not in names():
        raise unknown("experiment", name, names())
    data = tomllib.loads((resources.files("nst.recipe") / "presets" / "papers" / f"{name}.toml").read_text("utf-8"))
    panels = [PaperPanel(**panel) for panel in data.pop("panels")]
    return Paper(name=name, panels=panels, **data)
