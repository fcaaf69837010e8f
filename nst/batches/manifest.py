"""Read manifests, which list the pictures of a batch: CSV, or TOML with a recipe for each picture.

Paths are relative to the manifest. A mistake in the file itself is raised; a mistake in one picture is an error of its
row.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nst.batches.rows import BatchRow
from nst.errors import UserError, raise_all, unknown
from nst.io import remote
from nst.job.inputs import parse_mask
from nst.recipe import recipe
from nst.recipe.recipe import FIELDS

NEEDED = ("content", "style")
PLACES = ("content", "output", "mask", "protect")
SEPARATOR = ";"
"""Between the styles of one cell."""


def read_csv(path: Path) -> list[BatchRow]:
    """Read a row for each line: `content`, `style`, optionally `output`, `mask`, `protect` and any recipe field.

    An empty cell counts as absent. Several styles have `;` between them. Raises `UserError` for each column that is
    missing or unknown.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restkey="", strict=True)
            reader.fieldnames = [name.strip().replace("-", "_") for name in reader.fieldnames or ()]
            raise_all(_column_mistakes(path, reader.fieldnames))
            lines = list(reader)
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror}", "give a CSV file") from None
    except (csv.Error, UnicodeDecodeError) as error:
        raise UserError(f"'{path}' is not CSV in UTF-8: {error}", "save it as 'CSV UTF-8'") from None
    if not lines:
        raise UserError(f"'{path}' lists no picture", "a line for each, below the names of the columns")
    return [_row(number, path, _cells, line) for number, line in enumerate(lines, start=1)]


def _column_mistakes(path: Path, names: Sequence[str]) -> Iterator[UserError]:
    missing = [name for name in NEEDED if name not in names]
    if missing:
        has = f"it has {', '.join(names)}" if names else "it is empty"
        yield UserError(f"'{path}' has no column {', '.join(missing)}", f"{has}; its first line names the columns")
    for name in names:
        if name not in (*NEEDED, *PLACES, *FIELDS):
            yield unknown(f"column in '{path}':", name, (*NEEDED, *PLACES, *FIELDS))
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        yield UserError(f"'{path}' has the column {name} twice", "leave one out")


def _cells(line: Mapping[str, Any]) -> Mapping[str, Any]:
    """Convert a line of a CSV file to the form of a TOML table."""
    if "" in line or None in line.values():
        raise UserError("it has not as many cells as the first line", "put what has a comma in it between quotes")
    cells = {name: value for name, value in line.items() if value.strip()}
    places: dict[str, Any] = {name: cells.pop(name) for name in PLACES if name in cells}
    styles = [style.strip() for style in cells.pop("style", "").split(SEPARATOR) if style.strip()]
    return {**places, "style": styles, "recipe": cells}


def read_toml(path: Path) -> tuple[dict[str, Any], list[BatchRow]]:
    """Read the shared recipe, and a row for each `[[picture]]`, which may have a `recipe` of its own.

    Raises `UserError`.
    """
    data = recipe.load_recipe(path)
    pictures = data.pop("picture", [])
    shared = data.pop("recipe", {})
    if data or not isinstance(shared, dict) or not (pictures and isinstance(pictures, list)):
        hint = "it takes [[picture]] tables with content and style, and perhaps one [recipe] for all"
        raise UserError(f"'{path}' is not a manifest: it has {', '.join(data) or 'no [[picture]]'}", hint)
    return shared, [_row(number, path, _table, picture) for number, picture in enumerate(pictures, start=1)]


def _table(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise UserError("it is not a table", "write [[picture]]")
    for name in value:
        if name not in (*NEEDED, *PLACES, "recipe"):
            raise unknown("name in [[picture]]:", name, (*NEEDED, *PLACES, "recipe"))
    return value


def _row(number: int, path: Path, read: Callable[[Any], Mapping[str, Any]], source: Any) -> BatchRow:
    """Return the row of a line or table, or a row with its error."""
    bare = BatchRow(number, "", [])
    try:
        cells = read(source)
        bare = replace(bare, output=_text(cells, "output"), content=_from(path, _text(cells, "content")))
        bare = replace(bare, styles=[_from(path, style) for style in _listed(cells, "style")])
        if missing := [name for name in NEEDED if not cells.get(name)]:
            raise UserError(f"it has no {' and no '.join(missing)}", "name a picture")
        return _whole(bare, path, cells)
    except UserError as error:
        return replace(bare, error=UserError(f"row {number} of '{path.name}': {error.message}", error.hint))


def _whole(bare: BatchRow, path: Path, cells: Mapping[str, Any]) -> BatchRow:
    values, mistakes = recipe.read_fields(_checked(cells.get("recipe", {}), dict, "recipe"))
    raise_all(mistakes)
    masks = [parse_mask(text) for text in _listed(cells, "mask")]
    return replace(
        bare,
        recipe=values,
        masks=[(_from(path, mask), [_from(path, style) for style in styles]) for mask, styles in masks],
        protect=_from(path, _text(cells, "protect")) or None,
    )


def _listed(cells: Mapping[str, Any], name: str) -> list[str]:
    value = cells.get(name, [])
    return [_checked(item, str, name) for item in (value if isinstance(value, list) else [value])]


def _text(cells: Mapping[str, Any], name: str) -> str:
    return str(_checked(cells.get(name, ""), str, name))


def _checked(value: Any, kind: type, name: str) -> Any:
    if not isinstance(value, kind):
        raise UserError(f"its {name} is not {'text' if kind is str else 'a table'}: {value!r:.40}", "")
    return value


def _from(path: Path, name: str) -> str:
    return name if remote.is_url(name) or not name else os.path.join(os.path.dirname(path), name)
