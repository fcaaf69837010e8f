"""The pictures in folders, as small as they are needed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.errors import UserError
from nst.images import fit, load_image, resize

Photo: TypeAlias = NDArray[np.uint8]
"""`(H, W, 3)`, RGB, 0..255: a quarter of the memory of floats, and there are thousands."""

LONG_SIDE = 4  # times the side of a crop, at most
HELD_OUT = 20  # one picture in so many is kept for the report
MOST = 4000  # pictures of a folder, spread over it


@dataclass(frozen=True)
class Photos:
    """Pictures to fit to, by folder, pictures held out, and how many files were no pictures."""

    folders: tuple[tuple[Photo, ...], ...]
    held_out: tuple[Photo, ...]
    skipped: int

    def counts(self) -> dict[str, int]:
        """How many there are of each kind."""
        used = sum(map(len, self.folders))
        return {"used": used, "held out": len(self.held_out), "unreadable": self.skipped}


def gather(folders: Mapping[str, Sequence[Path]], crop: int, tell: Callable[[int, int], None]) -> Photos:
    """Read the pictures of every folder; `tell` gets files done and in all. Raises `UserError` for an empty folder."""
    chosen = {name: files[:: -(-len(files) // MOST)] for name, files in folders.items()}
    total, done = sum(map(len, chosen.values())), 0
    read: list[list[Photo]] = []
    for name, files in chosen.items():
        read.append([])
        for file in files:
            photo = _read(file, crop)
            read[-1] += [] if photo is None else [photo]
            done += 1
            tell(done, total)
        if not read[-1]:
            least = f"{crop // 2} pixels or more"
            raise UserError(
                f"none of the {len(files)} files in '{name}' is a picture of {least}", "name another folder"
            )
    return _parted(read, total - sum(map(len, read)))


def _parted(folders: Sequence[Sequence[Photo]], skipped: int) -> Photos:
    """Every twentieth picture is held out, unless the folder has fewer."""
    held_out = [photo for folder in folders for photo in folder[HELD_OUT - 1 :: HELD_OUT]]
    used = tuple(tuple(photo for at, photo in enumerate(folder, 1) if at % HELD_OUT) for folder in folders)
    return Photos(used, tuple(held_out or [folder[0] for folder in folders]), skipped)


def _read(file: Path, crop: int) -> Photo | None:
    """Read a picture, shrunk for crops; None for another file or a picture that is too small."""
    try:
        pixels = load_image(file)
    except UserError:
        return None
    height, width = pixels.shape[:2]
    if min(height, width) < crop // 2:
        return None
    small: Any = resize(pixels, fit(height, width, min(LONG_SIDE * crop, max(height, width))))
    return np.rint(small * 255).astype(np.uint8) if min(small.shape[:2]) >= crop // 2 else None
