"""Read and write color of 16 bits per channel, for which Pillow has no mode.

Pillow decodes such a file but keeps only the high byte of each sample; decoded again in the other byte order, it keeps
the low byte. Every decoder of Pillow works this way (interlaced PNG, LZW and tiled TIFF). PNG and TIFF files are
encoded here, with Pillow's chunks and tags.
"""

from __future__ import annotations

import struct
import sys
import zlib
from collections.abc import Iterator
from typing import Any, BinaryIO, cast

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, PngImagePlugin, TiffImagePlugin, TiffTags

Words = NDArray[np.uint16]

KINDS = ("PNG", "TIFF")
"""The formats with 16 bits per channel."""

_SWAPPED = {"B": "L", "L": "B", "N": "B" if sys.byteorder == "little" else "L"}
_LOW = {
    f"{mode};16{order}": f"{mode};16{other}" for mode in ("RGB", "RGBA", "RGBX") for order, other in _SWAPPED.items()
}
_GRAY_ALPHA = "LA;16B"  # four bytes a pixel, like RGBA, whose bytes are all kept


def is_deep(image: Image.Image) -> bool:
    """Return whether `samples` can read a newly opened image: 16 bits per channel, color or gray with alpha."""
    return image.format in KINDS and _raw_mode(image) in (*_LOW, _GRAY_ALPHA)


def samples(path: str) -> Words:
    """Read the file's own samples `(H, W, 3 | 4)`, for files that `is_deep` accepts. Raises what Pillow raises."""
    with Image.open(path) as image:
        mode, transparent = _raw_mode(image), image.info.get("transparency")
    if mode == _GRAY_ALPHA:
        stored = _bytes(path, "RGBA")
        return _joined(stored[..., ::2], stored[..., 1::2])[..., [0, 0, 0, 1]]
    words = _joined(_bytes(path, mode), _bytes(path, _LOW[mode]))
    return words if transparent is None else keyed(words, transparent)


def _joined(high: NDArray[np.uint8], low: NDArray[np.uint8]) -> Words:
    return np.left_shift(high, 8, dtype=np.uint16) | low


def keyed(words: Words, transparent: Any) -> Words:
    """Add alpha to samples `(H, W)` or `(H, W, 3)`: 0 where they have the color that the PNG names transparent."""
    planes = words if words.ndim == 3 else np.repeat(words[..., None], 3, axis=-1)
    alpha = np.where((planes == np.array(transparent)).all(-1), 0, 65535).astype(np.uint16)
    return np.dstack([planes, alpha])


def _raw_mode(image: Image.Image) -> str:
    """Return the raw mode that Pillow will decode, "" if there is nothing to decode."""
    tiles = getattr(image, "tile", None)
    if not tiles or getattr(image, "tag_v2", {}).get(TiffImagePlugin.PLANAR_CONFIGURATION, 1) != 1:
        return ""
    arguments = tiles[0].args
    return str(arguments[0] if isinstance(arguments, tuple) else arguments)


def _bytes(path: str, mode: str) -> NDArray[np.uint8]:
    with Image.open(path) as opened:
        image = cast(Any, opened)
        for i, tile in enumerate(image.tile):
            arguments = (mode, *tile.args[1:]) if isinstance(tile.args, tuple) else mode
            image.tile[i] = tile._replace(args=arguments)
        image.load()
        return np.asarray(image)


def write(
    file: BinaryIO, kind: str, words: Words, icc: bytes, exif: bytes, text: PngImagePlugin.PngInfo | None
) -> None:
    """Write samples `(H, W, 3 | 4)`, the fourth straight alpha. `text` goes into PNG alone."""
    if kind == "PNG":
        _write_png(file, words, icc, exif, text)
    else:
        _write_tiff(file, words, icc, exif)


def _write_png(file: BinaryIO, words: Words, icc: bytes, exif: bytes, text: PngImagePlugin.PngInfo | None) -> None:
    height, width, channels = words.shape
    file.write(b"\x89PNG\r\n\x1a\n")
    header = struct.pack(">IIBBBBB", width, height, 16, 6 if channels == 4 else 2, 0, 0, 0)
    chunks = [(b"IHDR", header), (b"iCCP", b"ICC Profile\0\0" + zlib.compress(icc))]
    chunks += [(chunk[0], chunk[1]) for chunk in (text.chunks if text else [])]
    chunks += [(b"eXIf", exif.removeprefix(b"Exif\0\0"))] if exif else []
    encoder = zlib.compressobj(6)
    data = b"".join(encoder.compress(row) for row in _filtered(words)) + encoder.flush()
    for name, content in [*chunks, (b"IDAT", data), (b"IEND", b"")]:
        PngImagePlugin.putchunk(file, name, content)


def _filtered(words: Words) -> Iterator[bytes]:
    """Yield rows in PNG's byte order, as differences from their neighbors (filter 4, Paeth)."""
    step = 2 * words.shape[2]
    above = np.zeros(step * words.shape[1], np.int16)
    for row in words.astype(">u2"):
        current = np.frombuffer(row.tobytes(), np.uint8).astype(np.int16)
        left, corner = (np.concatenate([np.zeros(step, np.int16), line[:-step]]) for line in (current, above))
        by_left, by_above, by_corner = abs(above - corner), abs(left - corner), abs(left + above - 2 * corner)
        nearest = np.where(by_above <= by_corner, above, corner)
        nearest = np.where((by_left <= by_above) & (by_left <= by_corner), left, nearest)
        yield b"\4" + (current - nearest).astype(np.uint8).tobytes()
        above = current


def _write_tiff(file: BinaryIO, words: Words, icc: bytes, exif: bytes) -> None:
    height, width, channels = words.shape
    differences = np.diff(words.astype("<u2"), axis=1, prepend=np.uint16(0))
    data = zlib.compress(differences.astype("<u2").tobytes())
    tags = TiffImagePlugin.ImageFileDirectory_v2(b"II*\0\x08\0\0\0")
    block = Image.Exif()
    block.load(exif)
    for tag, value in block.items():
        tags[tag] = block.get_ifd(tag) if tag == ExifTags.IFD.Exif else value
    own = {
        TiffImagePlugin.IMAGEWIDTH: width,
        TiffImagePlugin.IMAGELENGTH: height,
        TiffImagePlugin.BITSPERSAMPLE: (16,) * channels,
        TiffImagePlugin.COMPRESSION: 8,  # Adobe's deflate
        TiffImagePlugin.PHOTOMETRIC_INTERPRETATION: 2,  # RGB
        TiffImagePlugin.STRIPOFFSETS: 0,  # after the directory: Pillow adds its length
        TiffImagePlugin.SAMPLESPERPIXEL: channels,
        TiffImagePlugin.ROWSPERSTRIP: height,
        TiffImagePlugin.STRIPBYTECOUNTS: len(data),
        TiffImagePlugin.PLANAR_CONFIGURATION: 1,
        TiffImagePlugin.PREDICTOR: 2,  # differences of neighbors
        TiffImagePlugin.ICCPROFILE: icc,
    }
    for tag, value in (own | ({TiffImagePlugin.EXTRASAMPLES: 2} if channels == 4 else {})).items():
        tags[tag] = value
    tags.tagtype[TiffImagePlugin.ICCPROFILE] = TiffTags.UNDEFINED
    tags.save(file)
    file.write(data)
