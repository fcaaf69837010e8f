"""The cells of a comparison: one recipe each, all of them checked before any of them runs."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from nst.compare.grid import Setting, caption
from nst.errors import Findings, UserError, raise_all
from nst.io.download import sha256_of
from nst.job.validation import ONE_PASS, Call, Sized, each_scale, find_mistakes, is_file, size_mistakes
from nst.orders import Order
from nst.plugins.host import Plugins
from nst.recipe.recipe import ENGINE_FIELDS, Recipe
from nst.specs import BackendSpec
from nst.weights import selection

NAMED = 3  # cells named with a mistake that is in more of them
FORMAT = 1  # of what a worker leaves: another, and every cell has yet to be made


@dataclass(frozen=True)
class Cell:
    """One column: what sets it apart, what it runs, and whether its network is looked into."""

    setting: Setting
    recipe: Recipe
    spec: BackendSpec
    probe: bool = False

    @property
    def name(self) -> str:
        """What a person calls it."""
        return caption(self.setting) or self.recipe.backend


def plan(
    recipe: Recipe,
    wanted: Sequence[Setting],
    plugins: Plugins,
    pictures: Sequence[tuple[str, tuple[int, int]]],
    chosen: Collection[str] = (),
) -> list[Cell]:
    """One cell per setting, equal ones once. Raises every mistake in any of them.

    `pictures` are the content's and the styles' names and (height, width), (0, 0) for one that cannot be read;
    `chosen` the fields a person set beside those varied.
    """
    settings = {_text(each): each for each in wanted}
    found = {name: Findings() for name in settings}
    tried = [found[name].attempt(partial(_cell, recipe, each, plugins, chosen)) for name, each in settings.items()]
    mixed = any(cell.spec.kind == "feature" for cell in tried if cell)
    made = {name: _one_pass(cell) if mixed else cell for name, cell in zip(found, tried, strict=True) if cell}
    for name, cell in made.items():
        found[name].add(*_mistakes(cell, plugins, pictures, () if mixed else chosen))
    raise_all(_gathered([(settings[name], each.errors) for name, each in found.items()]))
    return _probed(_once(made.values()))


def _gathered(found: Sequence[tuple[Setting, Sequence[UserError]]]) -> Iterable[UserError]:
    """Every mistake once, with the cells it is in, unless it is in all of them or speaks of what sets them apart."""
    where: dict[tuple[str, str], list[Setting]] = {}
    for setting, errors in found:
        for error in errors:
            where.setdefault((error.message, error.hint), []).append(setting)
    for (message, hint), settings in where.items():
        plain = len(settings) == len(found) or any(value in message for value in settings[0].values())
        more = f" and {len(settings) - NAMED} more" if len(settings) > NAMED else ""
        cells = "; ".join(map(caption, settings[:NAMED])) + more
        yield UserError(message if plain else f"{cells}: {message}", hint)


def _cell(recipe: Recipe, setting: Setting, plugins: Plugins, chosen: Collection[str]) -> Cell:
    """One combination; in float32 unless a person chose a precision, since only so can two frameworks agree."""
    backend, _, own = setting.get("backend", recipe.backend).partition("@")
    given = {**setting, "backend": backend} | ({"weights": own} if own else {})
    made = recipe.override(**given)
    spec = plugins.find("backend", made.backend)
    if "float32" in spec.precisions and made.precision == "auto" and "precision" not in {*setting, *chosen}:
        made = made.override(precision="float32")
    return Cell(setting, made, spec)


def _one_pass(cell: Cell) -> Cell:
    """Drop the recipe fields that a one-pass network does not use; keep all fields for other networks.

    The weights are the others'; its own are those named by one of its sets, or given as NAME@WEIGHTS.
    """
    if cell.spec.kind == "feature":
        return cell
    kept = {name: getattr(cell.recipe, name) for name in ONE_PASS}
    setting = {name: value for name, value in cell.setting.items() if name in ONE_PASS}
    named = {*cell.recipe.weights} <= {each.name for each in cell.spec.weights}
    if not (named or "@" in setting.get("backend", "")):
        kept["weights"] = "auto"
        setting.pop("weights", None)
    return Cell(setting, Recipe(**kept), cell.spec)


def _mistakes(
    cell: Cell, plugins: Plugins, pictures: Sequence[tuple[str, tuple[int, int]]], chosen: Collection[str]
) -> Iterable[UserError]:
    recipe = cell.recipe.on(cell.spec)
    yield from find_mistakes(recipe, plugins, Call(len(pictures) - 1), chosen)
    if cell.spec.kind == "feature" and all(min(shape) for _, shape in pictures):
        scales = [1.0, *each_scale(recipe.style_scale, len(pictures) - 1)]
        sized = [Sized(name, shape, scale) for (name, shape), scale in zip(pictures, scales, strict=True)]
        yield from size_mistakes(recipe, sized, plugins, cell.spec)


def _once(cells: Iterable[Cell]) -> list[Cell]:
    """Without those that would run the same recipe again."""
    return list({_text(cell.recipe.to_dict()): cell for cell in reversed(list(cells))}.values())[::-1]


def _probed(cells: Sequence[Cell]) -> list[Cell]:
    """Mark the first cell of each network for a parity check, unless there is only one network."""
    engines = [_text({name: getattr(cell.recipe, name) for name in ENGINE_FIELDS}) for cell in cells]
    if len(set(engines)) < 2 and not any("backend" in cell.setting for cell in cells):
        return list(cells)
    new = [engine not in engines[:i] for i, engine in enumerate(engines)]
    return [replace(cell, probe=cell.spec.kind == "feature" and first) for cell, first in zip(cells, new, strict=True)]


def order(cell: Cell, pictures: Sequence[str], folder: Path, max_pixels: int | None) -> Order:
    """Return the order of a cell for a worker process, which writes to `folder`."""
    content, *styles = pictures
    kind = "probed cell" if cell.probe else "cell"
    return Order(content, styles, str(folder), cell.recipe.to_dict(), max_pixels=max_pixels, kind=kind)


def folder_name(cell: Cell, pictures: Sequence[str]) -> str:
    """Return a folder name that changes with the recipe, the input files and the software."""
    recipe = cell.recipe
    files = [*pictures, *([recipe.init] if is_file(recipe.init) else [])]
    facts = {
        "format": FORMAT,
        "recipe": recipe.to_dict(),
        "probe": cell.probe,
        "files": [_digest(file, os.stat(file).st_mtime_ns) for file in files],
        "weights": [selection.choose(cell.spec, name).digest() for name in recipe.weights],
        "software": _software(cell.spec),
    }
    backend = "".join(letter if letter.isalnum() else "-" for letter in cell.spec.name)
    return f"{backend}-{hashlib.sha256(_text(facts).encode()).hexdigest()[:12]}"


@cache
def _digest(file: str, modified: int) -> str:
    return sha256_of(Path(file))


def _software(spec: BackendSpec) -> dict[str, str]:
    """Versions of nst and of what the backend requires, without importing any of it."""
    names = ("nst", spec.install or spec.name, *spec.requires)
    return {name: _version(name) for name in dict.fromkeys(names)}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except (PackageNotFoundError, ValueError):
        return ""


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True)
