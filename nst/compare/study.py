"""Stylize the cells of a comparison or an exploration, unless an earlier run has finished them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nst.compare import cells, scheduler
from nst.compare.cells import Cell
from nst.compare.grid import Setting
from nst.compare.report import Column
from nst.compare.scheduler import Stopped
from nst.errors import UserError
from nst.images import Picture
from nst.orders import Order
from nst.protocols import Pixels
from nst.recipe.fields import numbered
from nst.recipe.recipe import flag

Say = Callable[[str], None]
Watch = Callable[[Mapping[str, str]], object]

ACROSS = 4  # pictures in a row of the sheet


@dataclass(frozen=True)
class Study:
    """The paths of content and styles, the output folder, and the number of processes.

    Finished cells are kept unless `fresh`.
    """

    pictures: Sequence[str]
    output: Path
    max_pixels: int | None = None
    jobs: int = 1
    fresh: bool = False

    def columns(self, planned: Sequence[Cell]) -> list[Column]:
        """Return a column for each cell, in a folder of its own; equal cells share a folder."""
        names, root = numbered([cell.name for cell in planned]), self.output / "cells"
        folders = [root / cells.folder_name(cell, self.pictures) for cell in planned]
        return [
            Column(name, folder / "picture.png", folder, cell.recipe.to_dict())
            for name, folder, cell in zip(names, folders, planned, strict=True)
        ]

    def finish(
        self, columns: Sequence[Column], planned: Sequence[Cell], say: Say, watch: Watch, stopped: Stopped = bool
    ) -> None:
        """Run every cell that is not finished, until `stopped()` is true."""
        orders: dict[Path, Order] = {}
        names: dict[Path, str] = {}
        for column, cell in zip(columns, planned, strict=True):
            folder = column.picture.parent
            if scheduler.is_finished(folder) and not self.fresh:
                say(f"{column.name}: kept from an earlier run (--fresh makes it again)")
            elif folder not in names:
                orders[folder] = cells.order(cell, self.pictures, folder, self.max_pixels)
                names[folder] = column.name
        size = max((cell.recipe.size for cell in planned), default=0)
        jobs, note = scheduler.affordable(min(self.jobs, len(orders)), size)
        if note:
            say(note)

        def watch_names(stages: Mapping[Path, str]) -> None:
            watch({names[folder]: stage for folder, stage in stages.items()})

        scheduler.run([*orders.values()], jobs, watch_names, stopped)


def across(planned: Sequence[Cell]) -> int:
    """Return the number of pictures in a row of the sheet: the values of the last of several varied fields."""
    *others, last = (planned[0].setting if planned else {}) or {"": ""}
    values = {cell.setting.get(last) for cell in planned}
    return len(values) if others and len(values) <= 2 * ACROSS else ACROSS


def captioned(originals: Sequence[Picture]) -> list[tuple[str, Pixels | None]]:
    """Return the content and the styles with captions, for pages and sheets."""
    roles = ["content", *["style"] * (len(originals) - 1)]
    return [(f"{role}: {Path(image.source).name}", image.pixels) for role, image in zip(roles, originals, strict=True)]


def set_and_varied(setting: Setting, chosen: Collection[str]) -> list[UserError]:
    """Return the errors of fields that have both a chosen value and varied values."""
    return [
        UserError(f"{flag(name)} is both set and varied", "leave one of the two out")
        for name in setting
        if name in chosen
    ]
