"""Open the source of a picture within a limit of pixels; every error names the user's file."""

from __future__ import annotations

import os
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, TypeAlias

from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from nst.errors import UserError

PathLike: TypeAlias = str | os.PathLike[str]
ImageSource: TypeAlias = PathLike | bytes | BinaryIO | Image.Image | NDArray[Any]

MAX_PIXELS: int = Image.MAX_IMAGE_PIXELS or 89_478_485
"""The default limit of pixels of a picture: Pillow's limit against decompression bombs."""

_PROGRAMS = ("EPS",)
"""What Pillow has another program run, to see what comes of it."""

KINDS = "give a PNG, JPEG, WebP, TIFF, or another picture file"

UNNAMED = "the picture"
"""What is in memory, in an error."""

_PILLOW_LIMIT = threading.Lock()
_PLUGINS = {  # what a file of the brand in its `ftyp` box needs; phones give HEIC any suffix
    b"avif": ("AVIF", "pip install --upgrade pillow (11.3 or later)"),
    **dict.fromkeys(
        (b"heic", b"heix", b"heim", b"heis", b"hevc", b"mif1", b"msf1"), ("HEIC", "pip install 'nst[heic]'")
    ),
}


@contextmanager
def opened(source: ImageSource, max_pixels: int | None = None) -> Iterator[Image.Image]:
    """Open a source as a PIL image of at most `max_pixels` (None: `MAX_PIXELS`), and close it if it was opened here.

    Within the context, every failure is raised as a `UserError` that names the source.
    """
    limit = MAX_PIXELS if max_pixels is None else max_pixels
    try:
        with _pillow_limit(limit), _image(source) as image:
            if image.width * image.height > limit:
                raise Image.DecompressionBombError
            yield image
    except UserError:
        raise
    except Exception as error:  # a decoder fed a damaged file raises whatever it trips over
        raise _unreadable(source, error, limit) from error


def name_of(source: ImageSource) -> str:
    """Return the name of the source for error messages."""
    path = path_of(source)
    return path or ("''" if isinstance(source, str) else UNNAMED)


def path_of(source: ImageSource) -> str:
    """Return the path as given, "" for an image in memory."""
    return os.fspath(source) if isinstance(source, (str, os.PathLike)) else ""


def reason(error: Exception) -> str:
    """Return the reason of an exception in a few words."""
    return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__


def too_large(name: str, limit: int) -> UserError:
    """Return the error for an image of more pixels than are allowed."""
    hint = "make it smaller, or raise --max-pixels if you trust where it comes from"
    return UserError(f"{name} has more than {limit:,} pixels", hint)


@contextmanager
def _image(source: Any) -> Iterator[Image.Image]:
    if isinstance(source, Image.Image):
        yield source
        return
    with _file(source) as file:
        if _PLUGINS.get(_brand(file), ("", ""))[0] == "HEIC":
            _register_heif()
        with Image.open(file) as image:
            if image.format in _PROGRAMS:
                raise UserError(f"{name_of(source)} is {image.format}, which is a program to be run", "save it as PNG")
            yield image


def _file(source: Any) -> BinaryIO:
    """Return an open file with the bytes of a path, of bytes, or of an open file, which stays open.

    An open file, not its name: of a name Pillow maps raw TIFF into memory, and garbles what lies on its side.
    """
    if isinstance(source, bytes | bytearray | memoryview):
        return BytesIO(source)
    if hasattr(source, "read"):
        return BytesIO(source.read())
    return open(os.fspath(source), "rb")


def _register_heif() -> None:
    with suppress(ImportError):
        import pillow_heif

        pillow_heif.register_heif_opener()


def _brand(file: BinaryIO) -> bytes:
    """Read the brand of an ISO base media file (HEIC, AVIF), b"" for any other; the file stays at its start."""
    head = file.read(12)
    file.seek(0)
    return head[8:] if head[4:8] == b"ftyp" else b""


@contextmanager
def _pillow_limit(limit: int) -> Iterator[None]:
    # Pillow keeps its limit in a global, and only warns up to twice of it. Decoders ask again about sizes inside
    # a file, so the limit must hold while they run; the lock keeps threads from each other's.
    with _PILLOW_LIMIT, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # about damaged metadata: what matters is raised, or a note
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, limit
        try:
            yield
        finally:
            Image.MAX_IMAGE_PIXELS = before


def _unreadable(source: ImageSource, error: Exception, limit: int) -> UserError:
    name = name_of(source)
    if isinstance(error, (Image.DecompressionBombError, Image.DecompressionBombWarning)):
        return too_large(name, limit)
    if isinstance(error, FileNotFoundError):
        return UserError(f"there is no file {name}", _nearest(Path(name)))
    if isinstance(error, IsADirectoryError):
        return UserError(f"{name} is a folder, not a picture", "name one picture in it")
    if isinstance(error, UnidentifiedImageError):
        return _unidentified(name) if path_of(source) else UserError(f"{name} is not one that Pillow can read", KINDS)
    hint = (
        "give yourself the right to read it"
        if isinstance(error, PermissionError)
        else "it may be incomplete: get it again"
    )
    return UserError(f"cannot read {name}: {reason(error)}", hint)


def _unidentified(name: str) -> UserError:
    with open(name, "rb") as file:
        kind, hint = _PLUGINS.get(_brand(file), ("", ""))
    if kind:
        return UserError(f"{name} is {kind}, which Pillow cannot read here, or it is damaged", hint)
    problem = "is not a picture Pillow can read" if os.path.getsize(name) else "is empty"
    return UserError(f"{name} {problem}", KINDS)


def _nearest(path: Path) -> str:
    if not os.path.isdir(path.parent):
        return f"there is no folder {path.parent} either"
    names = {name.casefold(): name for name in os.listdir(path.parent)}
    near = get_close_matches(path.name.casefold(), names, n=1)
    return f"did you mean {path.with_name(names[near[0]])}?" if near else "check the name and the folder"
