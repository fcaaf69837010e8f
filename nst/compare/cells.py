"""Plan the cells of a comparison: one recipe each, all checked before the first runs."""

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

from nst.compare.grid import Setting, setting_label
from nst.errors import Findings, UserError, raise_all
from nst.io.download import sha256_of
from nst.job.validation import ONE_PASS, Call, Sized, each_scale, find_mistakes, is_file, size_mistakes
from nst.orders import Order
from nst.plugins.host import Plugins
from nst.recipe.recipe import ENGINE_FIELDS, Recipe
from nst.specs import BackendSpec
from nst.weights import selection

NAMED = 3  # cells named in an error of several cells
FORMAT = 1  # of the files in a cell's folder; after a change, no earlier cell is kept


@dataclass(frozen=True)
class Cell:
    """One column: its setting, its recipe, its backend, and whether its parity is checked."""

    setting: Setting
    recipe: Recipe
    spec: BackendSpec
    probe: bool = False

    @property
    def name(self) -> str:
        """The name of the column."""
        return setting_label(self.setting) or self.recipe.backend


def plan_cells(
    recipe: Recipe,
    wanted: Sequence[Setting],
    plugins: Plugins,
    pictures: Sequence[tuple[str, tuple[int, int]]],
    chosen: Collection[str] = (),
) -> list[Cell]:
    """Return one cell for each different setting. Raises the mistakes of all cells.

    `pictures` are the names of content and styles with (height, width), or (0, 0) for an unreadable image. `chosen`
    are the fields set by the user beside the varied fields.
    """
    settings = {_text(setting): setting for setting in wanted}
    findings = {name: Findings() for name in settings}
    planned = {
        name: findings[name].attempt(partial(_cell, recipe, setting, plugins, chosen))
        for name, setting in settings.items()
    }
    mixed = any(cell.spec.kind == "feature" for cell in planned.values() if cell)
    cells = {name: _one_pass(cell) if mixed else cell for name, cell in planned.items() if cell}
    for name, cell in cells.items():
        findings[name].add(*_mistakes(cell, plugins, pictures, () if mixed else chosen))
    raise_all(_gathered([(settings[name], of_cell.errors) for name, of_cell in findings.items()]))
    return _probed(_once(cells.values()))


def _gathered(mistakes: Sequence[tuple[Setting, Sequence[UserError]]]) -> Iterable[UserError]:
    """Yield every mistake once, with the names of its cells unless it is in all cells or names a varied value."""
    settings_by_error: dict[tuple[str, str], list[Setting]] = {}
    for setting, errors in mistakes:
        for error in errors:
            settings_by_error.setdefault((error.message, error.hint), []).append(setting)
    for (message, hint), settings in settings_by_error.items():
        plain = len(settings) == len(mistakes) or any(value in message for value in settings[0].values())
        more = f" and {len(settings) - NAMED} more" if len(settings) > NAMED else ""
        cells = "; ".join(map(setting_label, settings[:NAMED])) + more
        yield UserError(message if plain else f"{cells}: {message}", hint)


def _cell(recipe: Recipe, setting: Setting, plugins: Plugins, chosen: Collection[str]) -> Cell:
    """Return the cell of a setting, in float32 unless the user chose a precision: only float32 results agree."""
    backend, _, own = setting.get("backend", recipe.backend).partition("@")
    values = {**setting, "backend": backend} | ({"weights": own} if own else {})
    recipe = recipe.override(**values)
    spec = plugins.find("backend", recipe.backend)
    if "float32" in spec.precisions and recipe.precision == "auto" and "precision" not in {*setting, *chosen}:
        recipe = recipe.override(precision="float32")
    return Cell(setting, recipe, spec)


def _one_pass(cell: Cell) -> Cell:
    """Drop the recipe fields that a one-pass network does not use; keep all fields for other networks.

    The weights are the others'; its own are those named by one of its sets, or given as NAME@WEIGHTS.
    """
    if cell.spec.kind == "feature":
        return cell
    kept = {name: getattr(cell.recipe, name) for name in ONE_PASS}
    setting = {name: value for name, value in cell.setting.items() if name in ONE_PASS}
    named = {*cell.recipe.weights} <= {weights.name for weights in cell.spec.weights}
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
    """Return the cells without repeated recipes."""
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
        "weights": [selection.choose_weights(cell.spec, name).digest() for name in recipe.weights],
        "software": _software(cell.spec),
    }
    backend = "".join(letter if letter.isalnum() else "-" for letter in cell.spec.name)
    return f"{backend}-{hashlib.sha256(_text(facts).encode()).hexdigest()[:12]}"


@cache
def _digest(file: str, modified: int) -> str:
    return sha256_of(Path(file))


def _software(spec: BackendSpec) -> dict[str, str]:
    """Return the versions of nst and of the backend's required modules, without importing them."""
    names = ("nst", spec.install or spec.name, *spec.requires)
    return {name: _version(name) for name in dict.fromkeys(names)}


def _version(distribution: str) -> str:
    try:
        return version(distribution)
    except (PackageNotFoundError, ValueError):
        return ""


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True)
