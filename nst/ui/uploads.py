"""Check uploaded images by their content, and copy them to a private folder."""

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
"""Formats that may be uploaded, by Pillow's names: raster formats with widely used decoders."""

_UNSAFE = re.compile(r"[^\w.\- ]+")
LONGEST_NAME = 80
MOST = 10**12  # pixels; an image above the limits is still an image, and gets its own error


@dataclass(frozen=True)
class Limits:
    """Limits of a page: `size` in bytes and `pixels` of one image, the number of `pictures` at once.

    A run may take `seconds`.
    """

    size: int = 50_000_000
    pixels: int = 50_000_000
    pictures: int = 8
    seconds: float = 3600.0


def copy_upload(path: str, cache: Path, folder: Path, limits: Limits) -> Path:
    """Copy an image from the upload folder `cache` to `folder`, and return the path of the copy.

    Raise `UserError` if the file is not an image, exceeds a limit, or lies outside `cache`.
    Only the header is checked: damaged pixel data is detected later, when the image is loaded.
    """
    name = os.path.basename(path)
    findings = Findings()
    check_uploaded(path, cache)
    if os.path.getsize(path) > limits.size:
        raise UserError(
            f"'{name}' has {megabytes(os.path.getsize(path))}", f"choose a file of up to {megabytes(limits.size)}"
        )
    findings.attempt(lambda: _check_kind(path, name))
    if not findings.errors and (error := check_input(path, max_pixels=limits.pixels)):
        findings.add(
            UserError(error.message.replace(path, f"'{name}'"), f"choose a picture of up to {limits.pixels:,} pixels")
        )
    raise_all(findings.errors)
    target = unused_path(folder, _UNSAFE.sub("_", name)[-LONGEST_NAME:])
    shutil.copyfile(path, target)
    return target


def check_uploaded(path: str, cache: Path) -> None:
    """Raise `UserError` unless `path` is a file in the upload folder `cache`."""
    real = Path(os.path.realpath(path))
    if not (real.is_relative_to(os.path.realpath(cache)) and real.is_file()):
        raise UserError(f"'{os.path.basename(path)}' has not been uploaded", "drop, paste or choose the file again")


def copy_uploads(paths: Sequence[str], cache: Path, folder: Path, limits: Limits) -> list[Path]:
    """Copy several uploaded images. Raise all errors together, or one error for too many images."""
    if len(paths) > limits.pictures:
        raise UserError(f"{len(paths)} pictures at once are too many", f"choose up to {limits.pictures}")
    findings = Findings()
    copies = [findings.attempt(partial(copy_upload, path, cache, folder, limits)) for path in paths]
    raise_all(findings.errors)
    return copies


def _check_kind(path: str, name: str) -> None:
    """Raise `UserError` unless the file is one of `FORMATS`, regardless of the file name."""
    hint = f"choose a file in one of these formats: {', '.join(kind for kind in FORMATS if kind != 'MPO')}"
    try:
        with opened(path, MOST) as image:
            kind = image.format or "of an unknown format"
    except UserError:
        raise UserError(f"'{name}' is not a picture", hint) from None
    if kind not in FORMATS:
        raise UserError(f"'{name}' is {kind}, which is not supported", hint)


def unused_path(folder: Path, name: str) -> Path:
    """Return an unused path in a folder: `sky.jpg`, `sky-2.jpg`, and so on."""
    path, number = folder / name, 1
    while path.exists():
        number += 1
        path = folder / f"{Path(name).stem}-{number}{Path(name).suffix}"
    return path
