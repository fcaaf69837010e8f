"""What comes in: pictures, told by what is in them and not by their names, within limits, into a private folder."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst.errors import Findings, UserError, raise_all
from nst.images import check_input
from nst.images.source import opened
from nst.io.download import megabytes

FORMATS = ("PNG", "JPEG", "MPO", "WEBP", "TIFF", "AVIF", "HEIF", "BMP", "GIF")
"""What may be uploaded, as Pillow calls it: formats of pixels alone, whose decoders are widely used."""

_UNSAFE = re.compile(r"[^\w.\- ]+")
LONGEST_NAME = 80
MOST = 10**12  # pixels: what is too large is a picture all the same, and is told so


@dataclass(frozen=True)
class Limits:
    """How much a browser may send: `size` in bytes and `pixels` of one picture, and how many `pictures` at once."""

    size: int = 50_000_000
    pixels: int = 50_000_000
    pictures: int = 8


def admit(path: str, cache: Path, folder: Path, limits: Limits) -> Path:
    """A copy in `folder` of a picture uploaded to `cache`, under its own name.

    Raises `UserError` for what is no picture, is too large, or lies anywhere else: no file of this machine is read.
    Only the header is read: what is damaged further on is found when the picture is.
    """
    name = os.path.basename(path)
    found = Findings()
    check_uploaded(path, cache)
    if os.path.getsize(path) > limits.size:
        raise UserError(f"'{name}' has {megabytes(os.path.getsize(path))}", f"{megabytes(limits.size)} are allowed")
    found.attempt(lambda: _check_kind(path, name))
    if not found.errors and (error := check_input(path, max_pixels=limits.pixels)):
        found.add(UserError(error.message.replace(path, f"'{name}'"), f"up to {limits.pixels:,} pixels are allowed"))
    raise_all(found.errors)
    target = free(folder, _UNSAFE.sub("_", name)[-LONGEST_NAME:])
    shutil.copyfile(path, target)
    return target


def check_uploaded(path: str, cache: Path) -> None:
    """Raise `UserError` unless a file has been uploaded."""
    real = Path(os.path.realpath(path))
    if not (real.is_relative_to(os.path.realpath(cache)) and real.is_file()):
        raise UserError(f"'{os.path.basename(path)}' has not been uploaded", "drop, paste or choose it again")


def admit_all(paths: Sequence[str], cache: Path, folder: Path, limits: Limits) -> list[Path]:
    """Each of several pictures. Raises every mistake in them, or one when there are too many."""
    if len(paths) > limits.pictures:
        raise UserError(f"{len(paths)} pictures at once", f"give up to {limits.pictures}")
    found = Findings()
    admitted = [found.attempt(partial(admit, path, cache, folder, limits)) for path in paths]
    raise_all(found.errors)
    return admitted


def _check_kind(path: str, name: str) -> None:
    """Raise `UserError` unless the file is one of `FORMATS`, whatever it is called."""
    hint = f"it takes {', '.join(kind for kind in FORMATS if kind != 'MPO')}"
    try:
        with opened(path, MOST) as image:
            kind = image.format or "none of these"
    except UserError:
        raise UserError(f"'{name}' is not a picture", hint) from None
    if kind not in FORMATS:
        raise UserError(f"'{name}' is {kind}", hint)


def free(folder: Path, name: str) -> Path:
    """A path in a folder that nothing has yet: `sky.jpg`, `sky-2.jpg`, …"""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path
