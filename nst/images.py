"""Pictures in and out: anything Pillow reads becomes `Pixels`, and `Pixels` become a whole file or none.

Reading applies the EXIF orientation, keeps alpha apart from straight colors and keeps 16-bit gray deep. Color
profiles are left unread; what is written has 8 bits per channel. Every error is a `UserError` that names the
file, but a write that fails at the disk or in the encoder is an `NstError`.
"""

from __future__ import annotations

import json
import os
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps, PngImagePlugin, UnidentifiedImageError

from nst import atomic
from nst.errors import NstError, UserError, unknown
from nst.protocols import Pixels

PathLike: TypeAlias = str | os.PathLike[str]
Source: TypeAlias = PathLike | Image.Image | NDArray[Any]
Floats: TypeAlias = NDArray[np.float32]

MAX_PIXELS: int = Image.MAX_IMAGE_PIXELS or 89_478_485
"""The most pixels a picture may have unless told otherwise: Pillow's guard against decompression bombs."""

_KINDS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
_OPTIONS = {"quality": 95, "subsampling": 0, "exact": True}  # each format takes its own: 4:4:4 is JPEG's
SUFFIXES: tuple[str, ...] = tuple(_KINDS)
"""The file suffixes `write` knows; upper case is as good."""

_TOLERANCE = 1e-3  # how far floats may stray from 0..1 before they must mean something else
LONGEST_NAME = 255  # bytes, on every file system in common use
_UNNAMED = "the picture"  # what is in memory, in an error
_PILLOW_LIMIT = threading.Lock()


@dataclass(frozen=True)
class Picture:
    """A picture read from outside: its pixels, and what must come back at the end.

    `alpha` is `(H, W)` float32, 0..1, None where the picture is opaque everywhere. `source` is the path as
    given, "" for what was in memory. `notes` are things worth telling a person: "first of 12 frames".
    """

    pixels: Pixels
    alpha: Floats | None
    source: str
    notes: tuple[str, ...] = ()


def read(source: Source, *, max_pixels: int | None = None) -> Picture:
    """Read a path, a PIL image, or an array; the source is neither changed nor shared.

    Arrays are `(H, W)` or `(H, W, 1 | 3 | 4)`: uint8, uint16, or floats in 0..1; the 4th channel is straight
    alpha. Raises `UserError` for what is not a whole picture, and for a file or PIL image of more than
    `max_pixels` (`MAX_PIXELS` for None).
    """
    if isinstance(source, np.ndarray):
        return _picture(source, _UNNAMED)
    with _opened(source, max_pixels) as image:
        samples, notes = _decode(image)
    return _picture(samples, _name(source), _path(source), notes)


def load_image(source: Source, *, max_pixels: int | None = None) -> Pixels:
    """The pixels of a path, a PIL image or an array; `read` says what is allowed and what is raised."""
    return read(source, max_pixels=max_pixels).pixels


def check_input(path: PathLike, *, max_pixels: int | None = None) -> UserError | None:
    """What would stop `read(path)`, as far as the file's header tells; None when nothing would."""
    try:
        with _opened(path, max_pixels):
            return None
    except UserError as error:
        return error


def resize(pixels: Floats, size: tuple[int, int]) -> Floats:
    """`pixels` `(H, W, 3)` or a mask `(H, W)`, 0..1, at `size` = (height, width).

    Lanczos, antialiased on shrinking, clipped to 0..1. An input of that size is returned itself.
    """
    if pixels.shape[:2] == size:
        return pixels
    if pixels.ndim == 3:
        return np.stack([resize(channel, size) for channel in np.moveaxis(pixels, -1, 0)], axis=-1)
    # Mode F, one channel at a time: all other modes round to 8 bits.
    resized = Image.fromarray(pixels).resize(size[::-1], Image.Resampling.LANCZOS)
    return np.asarray(resized).clip(0, 1)


def fit(height: int, width: int, long_side: int) -> tuple[int, int]:
    """(height, width) in the same proportion, the longer at `long_side` pixels and each at least 1."""
    longest = max(height, width)
    return max(1, round(height * long_side / longest)), max(1, round(width * long_side / longest))


def write(
    path: PathLike, pixels: Pixels, *, alpha: Floats | None = None, text: Mapping[str, str] | None = None
) -> Path:
    """Write `pixels` `(H, W, 3)` and `alpha` `(H, W)`, 0..1, in the suffix's format; return the path.

    An old file stays until the new one is whole; an error leaves nothing behind. JPEG drops alpha: the colors
    are written as they are. `text` goes into PNG text chunks, elsewhere as JSON into the EXIF ImageDescription.
    Raises what `check_output` returns, `UserError` for a wrong range or shape, `NstError` when writing fails.
    """
    if error := check_output(path):
        raise error
    target = Path(path)
    image = _image(pixels, alpha, f"the picture for {target}")
    try:
        _replace(target, image, _KINDS[target.suffix.lower()], text or {})
    except (OSError, ValueError) as failure:
        hint = "is the disk full? A picture of more than 16,383 pixels a side needs PNG or TIFF"
        raise NstError(f"cannot write {target}: {_reason(failure)}", hint) from failure
    return target


def save_image(path: PathLike, pixels: Pixels) -> Path:
    """Write `pixels` to `path`; `write` says how and what is raised."""
    return write(path, pixels)


def check_output(path: PathLike) -> UserError | None:
    """What would stop `write(path)`: the suffix, the folder, the rights; None when nothing would."""
    target = Path(path)
    refused, folder = f"cannot write {target}", target.parent
    if os.path.isdir(target):
        return UserError(f"{refused}: it is a folder", f"name a file in it: {target / 'out.png'}")
    if target.suffix.lower() not in SUFFIXES:
        error = unknown("suffix", target.suffix, SUFFIXES)
        return UserError(f"{refused}: {error.message}", error.hint)
    if len(os.fsencode(target.name)) > LONGEST_NAME:
        return UserError(f"{refused}: the name is too long", f"{LONGEST_NAME} bytes are allowed")
    if not os.path.isdir(folder):
        return UserError(f"{refused}: there is no folder {folder}", f"make it: mkdir -p {folder}")
    if os.path.exists(target) and not os.access(target, os.W_OK):
        return UserError(f"{refused}: it is read-only", "choose another name, or change its rights")
    try:  # rather than ask for rights, which know nothing of read-only mounts and quotas
        with NamedTemporaryFile(dir=folder):
            return None
    except OSError as failure:
        return UserError(f"{refused}: {_reason(failure)} in {folder}", "choose a folder you may write to")


def _name(source: Source) -> str:
    return (
        f"'{_path(source)}'"
        if isinstance(source, (str, os.PathLike)) and not _path(source)
        else _path(source) or _UNNAMED
    )


def _path(source: Source) -> str:
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""


@contextmanager
def _opened(source: PathLike | Image.Image, max_pixels: int | None) -> Iterator[Image.Image]:
    """A PIL image of an allowed size; inside, whatever goes wrong is a `UserError` that names the source."""
    limit = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        with (
            _pillow_limit(limit),
            nullcontext(source) if isinstance(source, Image.Image) else Image.open(os.fspath(source)) as image,
        ):
            if image.width * image.height > limit:
                raise Image.DecompressionBombError
            yield image
    except Exception as error:  # a decoder fed a damaged file raises whatever it trips over
        raise _unreadable(_name(source), error, limit) from error


@contextmanager
def _pillow_limit(limit: int) -> Iterator[None]:
    # Pillow keeps its limit in a global, and only warns up to twice of it. Decoders ask again about sizes inside
    # a file, so the limit must hold while they run; the lock keeps threads from each other's.
    with _PILLOW_LIMIT, warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _unreadable(name: str, error: Exception, limit: int) -> UserError:
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        hint = "make it smaller, or raise --max-pixels if you trust where it comes from"
        return UserError(f"{name} has more than {limit:,} pixels", hint)
    if isinstance(error, FileNotFoundError):
        return UserError(f"there is no file {name}", _nearest(Path(name)))
    if isinstance(error, IsADirectoryError):
        return UserError(f"{name} is a folder, not a picture", "name one picture in it")
    if isinstance(error, UnidentifiedImageError):
        problem = "is not a picture Pillow can read" if os.path.getsize(name) else "is empty"
        return UserError(f"{name} {problem}", "give a PNG, JPEG, WebP, TIFF, or another picture file")
    hint = "give yourself the right to read it" if isinstance(error, PermissionError) else "is it whole? Get it again"
    return UserError(f"cannot read {name}: {_reason(error)}", hint)


def _reason(error: Exception) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def _nearest(path: Path) -> str:
    if not os.path.isdir(path.parent):
        return f"there is no folder {path.parent} either"
    names = {name.casefold(): name for name in os.listdir(path.parent)}
    near = get_close_matches(path.name.casefold(), names, n=1)
    return f"did you mean {path.with_name(names[near[0]])}?" if near else "check the name and the folder"


def _decode(image: Image.Image) -> tuple[NDArray[Any], tuple[str, ...]]:
    """The samples of a PIL image, upright, and what is to be said about them."""
    frames = getattr(image, "n_frames", 1)
    # A phone's MPO holds previews beside its picture and Photoshop's layers come merged: nothing is left out.
    several = frames > 1 and image.tell() == 0 and image.format not in ("MPO", "PSD")
    notes = [f"first of {frames} frames"] if several else []
    image.load()
    try:
        image = ImageOps.exif_transpose(image)
    except Exception:  # the pixels are whole; only what came with them is not
        notes.append("damaged EXIF data, orientation unknown")
    return _samples(image), tuple(notes)


def _samples(image: Image.Image) -> NDArray[Any]:
    if image.mode[0] not in "IF":  # I;16, I and F are deeper than convert's 8 bits
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    gray = np.asarray(image)
    # Mode I has 32 bits, but Pillow fills it from 16-bit files; no one says what white would be beyond.
    sixteen = image.mode == "I" and gray.min() >= 0 and gray.max() <= 65535
    return gray.astype(np.uint16) if sixteen else gray


def _picture(samples: NDArray[Any], name: str, source: str = "", notes: tuple[str, ...] = ()) -> Picture:
    """Every picture's way in: `(H, W)` or `(H, W, 1 | 3 | 4)` samples, checked, become float32 in 0..1."""
    planes = samples[..., None] if samples.ndim == 2 else samples
    if planes.ndim != 3 or planes.shape[2] not in (1, 3, 4) or planes.size == 0:
        hint = "give (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), each side at least 1"
        raise UserError(f"{name} has shape {samples.shape}", hint)
    unit = _unit(planes, name)
    colors = unit[..., :3] if unit.shape[2] > 1 else np.repeat(unit, 3, axis=-1)
    alpha = unit[..., 3].copy() if unit.shape[2] == 4 and unit[..., 3].min() < 1 else None
    return Picture(np.ascontiguousarray(colors), alpha, source, notes)


def _unit(samples: NDArray[Any], name: str) -> Floats:
    """A copy of uint8, uint16 or float samples, scaled to 0..1."""
    if samples.dtype.kind == "u" and samples.dtype.itemsize <= 2:
        return samples.astype(np.float32) / np.float32(np.iinfo(samples.dtype).max)
    if samples.dtype.kind != "f":
        raise UserError(f"{name} is of type {samples.dtype}", "give uint8, uint16, or floats in 0..1")
    low, high = samples.min(), samples.max()
    if not np.isfinite((low, high)).all():
        raise UserError(f"{name} has values that are NaN or infinite", "give floats in 0..1")
    if low < -_TOLERANCE or high > 1 + _TOLERANCE:
        hint = "scale it to 0..1: what is 0..255, divide by 255"
        raise UserError(f"{name} has values from {low:g} to {high:g}, allowed are 0..1", hint)
    return samples.astype(np.float32).clip(0, 1)


def _image(pixels: Pixels, alpha: Floats | None, name: str) -> Image.Image:
    if alpha is not None and alpha.shape != pixels.shape[:2]:
        message = f"{name} has shape {pixels.shape}, its alpha {alpha.shape}"
        raise UserError(message, "resize alpha to the picture's height and width")
    picture = _picture(pixels if alpha is None else np.dstack((pixels, alpha)), name)
    planes = picture.pixels if picture.alpha is None else np.dstack((picture.pixels, picture.alpha))
    return Image.fromarray(np.rint(planes * 255).astype(np.uint8))


def _metadata(kind: str, text: Mapping[str, str]) -> dict[str, Any]:
    chunks, exif = PngImagePlugin.PngInfo(), Image.Exif()
    for key, value in text.items():
        chunks.add_text(key, value)  # makes an iTXt chunk of what is not Latin-1
    exif[ExifTags.Base.ImageDescription] = json.dumps(dict(text))
    return {"pnginfo": chunks} if kind == "PNG" else {"exif": exif}


def _replace(target: Path, image: Image.Image, kind: str, text: Mapping[str, str]) -> None:
    colors = image.convert("RGB") if kind == "JPEG" else image
    options = _OPTIONS | (_metadata(kind, text) if text else {})
    atomic.replace(target, lambda file: colors.save(file, kind, **options))
