"""Read TIFF files that Pillow cannot: float color, 16 bits per channel in separate planes or as gray with alpha.

These files need tifffile, a dependency of scikit-image; without it, the error names the package.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import TiffImagePlugin

from nst.errors import UserError
from nst.images.source import reason, too_large

_TILEWIDTH, _DEPTH = 322, 32997  # tags; a picture may have a depth, of which Pillow knows nothing
_CHANNELS = 8  # of which more than four are refused later, in their own words
_PREMULTIPLIED = 1  # of EXTRASAMPLES; 2 is straight alpha, 0 is anything else


def tags(path: str) -> dict[int, Any]:
    """Read the first page's tags by number; empty if the file is no TIFF for `samples`."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
            directory = TiffImagePlugin.ImageFileDirectory_v2(head if head[2] == 43 else head[:8])
            file.seek(directory.next)
            directory.load(file)
            entries = dict(directory)
    except Exception:  # no TIFF, or a damaged one, which Pillow will tell
        return {}
    return entries if _beyond_pillow(entries) else {}


def _beyond_pillow(entries: Mapping[int, Any]) -> bool:
    bits, formats = _all(entries, TiffImagePlugin.BITSPERSAMPLE), _all(entries, TiffImagePlugin.SAMPLEFORMAT)
    channels, planes = len(bits), entries.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1)
    floating = 3 in formats and (channels > 1 or 16 in bits)
    return floating or (16 in bits and (channels == 2 or (channels > 2 and planes == 2)))


def _all(entries: Mapping[int, Any], tag: int) -> tuple[int, ...]:
    value = entries.get(tag, 1)
    return value if isinstance(value, tuple) else (value,)


def check(path: str, entries: Mapping[int, Any], limit: int) -> UserError | None:
    """Return the error that `samples` would raise, judged by the tags; else None."""
    extra = _all(entries, TiffImagePlugin.EXTRASAMPLES) if TiffImagePlugin.EXTRASAMPLES in entries else ()
    if max(_areas(entries)) > limit:
        return too_large(path, limit)
    if entries.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) not in (1, 2) or extra[:1] == (_PREMULTIPLIED,):
        hint = "save it as RGB, 8 or 16 bits, with straight alpha or none"
        return UserError(f"{path} is a kind of TIFF that nst does not read", hint)
    try:
        import tifffile  # noqa: F401
    except ImportError:
        return UserError(f"{path} is a kind of TIFF that Pillow cannot read", "pip install tifffile")
    return None


def _areas(entries: Mapping[int, Any]) -> Iterator[float]:
    """Yield the pixels of the picture and of a tile; infinity for a tag that is not a number, or several planes."""
    flat = entries.get(_DEPTH, 1) == 1 and len(_all(entries, TiffImagePlugin.BITSPERSAMPLE)) <= _CHANNELS
    for sides in ((TiffImagePlugin.IMAGEWIDTH, TiffImagePlugin.IMAGELENGTH), (_TILEWIDTH, TiffImagePlugin.TILELENGTH)):
        width, height = (entries.get(side, 0) for side in sides)
        yield width * height if flat and type(width) is type(height) is int else math.inf


def samples(path: str, entries: Mapping[int, Any]) -> NDArray[Any]:
    """Read the samples `(H, W)` or `(H, W, 3 | 4)` of the first page, as stored. Raises `UserError`."""
    import tifffile

    try:
        stored = np.asarray(tifffile.imread(path, key=0))
    except Exception as error:
        hint = "if the file is complete, pip install imagecodecs, or save it without compression"
        raise UserError(f"cannot read {path}: {reason(error)}", hint) from error
    separate = stored.ndim == 3 and entries.get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) == 2
    planes = np.moveaxis(stored, 0, -1) if separate else stored
    if planes.ndim == 2:
        return planes
    if planes.shape[2] == 2:
        return planes[..., [0, 0, 0, 1]]
    return planes if TiffImagePlugin.EXTRASAMPLES in entries else planes[..., :3]
