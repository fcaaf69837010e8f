"""Copy a content's EXIF, keep its resolution, and store nst's own text.

Only listed EXIF tags are copied: camera, lens, exposure, dates, author. Tags that may contain the location are not
copied: GPS, maker notes, thumbnails, XMP, IPTC, serial numbers, comments.

Text is stored as text chunks in PNG, as comments in JPEG (several, because EXIF there ends at 64 kB), and as the EXIF
UserComment in all other formats. Except in PNG it is JSON in ASCII.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any

from PIL import ExifTags, Image, PngImagePlugin, TiffTags
from PIL.TiffImagePlugin import IFDRational

from nst.images.source import PathLike, opened

LONGEST_TEXT = 1_000_000
"""The most bytes of text that are read back."""

_Tag = ExifTags.Base
_CAMERA = (_Tag.ImageDescription, _Tag.Make, _Tag.Model, _Tag.DateTime, _Tag.Artist, _Tag.Copyright)
_EXPOSURE = (
    *(_Tag.DateTimeOriginal, _Tag.DateTimeDigitized, _Tag.OffsetTime, _Tag.OffsetTimeOriginal),
    *(_Tag.OffsetTimeDigitized, _Tag.SubsecTime, _Tag.SubsecTimeOriginal, _Tag.SubsecTimeDigitized),
    *(_Tag.ExposureTime, _Tag.FNumber, _Tag.ExposureProgram, _Tag.ISOSpeedRatings, _Tag.SensitivityType),
    *(_Tag.RecommendedExposureIndex, _Tag.ShutterSpeedValue, _Tag.ApertureValue, _Tag.BrightnessValue),
    *(_Tag.ExposureBiasValue, _Tag.MaxApertureValue, _Tag.SubjectDistance, _Tag.MeteringMode, _Tag.LightSource),
    *(_Tag.Flash, _Tag.FocalLength, _Tag.FocalLengthIn35mmFilm, _Tag.ExposureMode, _Tag.WhiteBalance),
    *(_Tag.DigitalZoomRatio, _Tag.SceneCaptureType, _Tag.GainControl, _Tag.LensSpecification),
    *(_Tag.LensMake, _Tag.LensModel),
)
_LONGEST_VALUE = 2000  # characters, or numbers: no camera writes longer ones
_LAYOUT = ("{", "<", "ImageJ=", "SCANIMAGE", "Aperio")
"""Beginnings of an ImageDescription that describes a TIFF's layout: JSON of tifffile, OME-XML, and other programs'."""

_INCHES = {2: 1.0, 3: 2.54}  # per unit of EXIF's ResolutionUnit
_ASCII = b"ASCII\0\0\0"  # the first bytes of a UserComment
_COMMENT = 65_533  # bytes in a segment of JPEG


# Pillow does not know the type of this tag, and would write BYTE for its bytes.
TiffTags.TAGS_V2_GROUPS[ExifTags.IFD.Exif][_Tag.UserComment] = TiffTags.TagInfo(
    _Tag.UserComment, "UserComment", TiffTags.UNDEFINED, 1
)


def kept(exif: Image.Exif) -> bytes:
    """Return the part of a content's EXIF that is kept, as an EXIF block; b"" for nothing."""
    chosen = Image.Exif()
    chosen.update(_sound(exif, _CAMERA))
    if str(chosen.get(_Tag.ImageDescription, "")).lstrip().startswith(_LAYOUT):
        del chosen[_Tag.ImageDescription]
    if exposure := _sound(exif.get_ifd(ExifTags.IFD.Exif), _EXPOSURE):
        chosen[ExifTags.IFD.Exif] = exposure
    return chosen.tobytes() if chosen else b""


def resolution(image: Image.Image) -> tuple[float, float] | None:
    """Return the dots per inch that an opened file declares, across and down, or None."""
    dots = image.info.get("dpi")
    if dots is None:
        exif = image.getexif()
        unit = _INCHES.get(exif.get(_Tag.ResolutionUnit, 2), 0.0)
        dots = [exif.get(tag, 0) * unit for tag in (_Tag.XResolution, _Tag.YResolution)]
    across, down = (float(value) for value in dots)
    return (across, down) if 1 < across < 2**16 and 1 < down < 2**16 else None


def _sound(exif: Mapping[int, Any], tags: tuple[int, ...]) -> dict[int, Any]:
    return {int(tag): exif[tag] for tag in tags if tag in exif and _is_sound(exif[tag])}


def _is_sound(value: Any) -> bool:
    """Return whether a value is text or numbers that can be written; a fraction with denominator 0 cannot."""
    if isinstance(value, tuple):
        return 0 < len(value) < _LONGEST_VALUE and all(_is_sound(part) for part in value)
    if isinstance(value, IFDRational):
        return value.denominator != 0
    return isinstance(value, int | float) or (isinstance(value, str) and len(value) < _LONGEST_VALUE)


def exif_with(exif_block: bytes, text: Mapping[str, str], dpi: tuple[float, float] | None = None) -> bytes:
    """Return an EXIF block with the text as its UserComment, and a resolution; b"" without any of them."""
    exif = Image.Exif()
    exif.load(exif_block)
    if dpi is not None:
        exif.update({_Tag.XResolution: dpi[0], _Tag.YResolution: dpi[1], _Tag.ResolutionUnit: 2})
    exposure = dict(exif.get_ifd(ExifTags.IFD.Exif))
    if text:
        exposure[int(_Tag.UserComment)] = _ASCII + json.dumps(dict(text)).encode("ascii")
        exif[ExifTags.IFD.Exif] = exposure
    return exif.tobytes() if exif else b""


def chunks(text: Mapping[str, str], dpi: tuple[float, float] | None = None) -> PngImagePlugin.PngInfo:
    """Return the resolution and the text as PNG chunks: iTXt for text that is not Latin-1."""
    info = PngImagePlugin.PngInfo()
    if dpi is not None:
        info.add(b"pHYs", struct.pack(">IIB", *(round(dots / 0.0254) for dots in dpi), 1))
    for key, value in text.items():
        info.add_text(key, value)
    return info


def comments(text: Mapping[str, str]) -> bytes:
    """Return the text as segments of a JPEG."""
    data = json.dumps(dict(text)).encode("ascii") if text else b""
    parts = (data[start : start + _COMMENT] for start in range(0, len(data), _COMMENT))
    return b"".join(b"\xff\xfe" + struct.pack(">H", len(part) + 2) + part for part in parts)


def read_text(path: PathLike, key: str = "nst") -> str | None:
    """Read the text written under `key`, such as the provenance record; None if there is none.

    Damaged, too long (`LONGEST_TEXT`) or foreign text is None. Text is parsed as JSON, never executed. Raises
    `UserError` for a file that is not an image.
    """
    with opened(path) as image:
        text = (image.info if image.format == "PNG" else _parsed(_packed(image))).get(key)
    return str(text) if isinstance(text, str) and len(text.encode()) <= LONGEST_TEXT else None


def _packed(image: Image.Image) -> bytes:
    if image.format == "JPEG":
        return b"".join(_comments(image))
    try:
        comment = image.getexif().get_ifd(ExifTags.IFD.Exif).get(_Tag.UserComment)
    except Exception:  # damaged EXIF data holds no text
        return b""
    return comment.removeprefix(_ASCII) if isinstance(comment, bytes) else b""


def _comments(image: Image.Image) -> Iterator[bytes]:
    return (data for name, data in getattr(image, "applist", []) if name == "COM")


def _parsed(packed: bytes) -> dict[str, Any]:
    if len(packed) > LONGEST_TEXT:
        return {}
    try:
        table = json.loads(packed.decode("utf-8"))
    except (ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}
