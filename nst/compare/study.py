"""What comparing and exploring share: a folder in which every cell is painted, or kept from an earlier run."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst.compare import cells, scheduler
from nst.compare.cells import Cell
from nst.compare.grid import Setting
from nst.compare.report import Column
from nst.errors import UserError
from nst.images import Picture
from nst.protocols import Pixels
from nst.recipe.fields import numbered
from nst.recipe.recipe import flag

Say = Callable[[str], None]
Watch = Callable[[Mapping[str, str]], None]

ACROSS = 4  # pictures in a row of the sheet


@dataclass(frozen=True)
class Study:
    """The content and the styles, the folder, and how cells are painted: each by a worker of its own, `jobs` at once.

    `together` cells of one backend are painted by one worker, in turn. `fresh` ones are painted though they are there.
    """

    pictures: Sequence[str]
    output: Path
    max_pixels: int | None = None
    jobs: int = 1
    fresh: bool = False
    together: bool = False

    def columns(self, planned: Sequence[Cell]) -> list[Column]:
        """Return a column for each cell, in a folder of its own; equal cells share a folder."""
        names, root = numbered([cell.name for cell in planned]), self.output / "cells"
        folders = [root / cells.folder_name(cell, self.pictures) for cell in planned]
        return [
            Column(name, folder / "picture.png", folder, cell.recipe.to_dict())
            for name, folder, cell in zip(names, folders, planned, strict=True)
        ]

    def finish(self, columns: Sequence[Column], planned: Sequence[Cell], say: Say, watch: Watch) -> None:
        """Paint every cell that is not finished."""
        batches: dict[Any, dict[Path, dict[str, Any]]] = {}
        names: dict[Path, str] = {}
        content, *styles = self.pictures
        for column, cell in zip(columns, planned, strict=True):
            folder = column.picture.parent
            if scheduler.finished(folder) and not self.fresh:
                say(f"{column.name}: kept from an earlier run (--fresh makes it again)")
            elif folder not in names:
                order = cells.order(cell, content, styles, self.max_pixels)
                batches.setdefault(cell.spec.name if self.together else folder, {})[folder] = order
                names[folder] = column.name
        size = max((cell.recipe.size for cell in planned), default=0)
        jobs, note = scheduler.affordable(min(self.jobs, len(batches)), size)
        if note:
            say(note)
        everything = [*batches.values()]
        scheduler.run(everything, jobs, lambda told: watch({names[folder]: stage for folder, stage in told.items()}))


def across(planned: Sequence[Cell]) -> int:
    """Pictures in a row of the sheet: of several varied fields the last one's values stand side by side."""
    *others, last = (planned[0].setting if planned else {}) or {"": ""}
    values = {cell.setting.get(last) for cell in planned}
    return len(values) if others and len(values) <= 2 * ACROSS else ACROSS


def captioned(originals: Sequence[Picture]) -> list[tuple[str, Pixels | None]]:
    """Caption the content and the styles for pages and sheets."""
    roles = ["content", *["style"] * (len(originals) - 1)]
    return [(f"{role}: {Path(each.source).name}", each.pixels) for role, each in zip(roles, originals, strict=True)]


def set_and_varied(setting: Setting, chosen: Collection[str]) -> list[UserError]:
    """Fields that are both given a value and varied."""
    return [
        UserError(f"{flag(name)} is both set and varied", "leave one of the two out")
        for name in setting
        if name in chosen
    ]
