"""Convert pictures from their color profile (ICC.1:2022) to sRGB and back.

A profile of three curves and a matrix (cameras, screens, working spaces) is computed in floats: 16 bits per channel are
kept, the conversion is exact, and perceptual and colorimetric intent are equal. Other profiles (tables, CMYK) go
through LittleCMS at 8 bits, with perceptual intent.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageCms

from nst.images.picture import Doubles
from nst.protocols import Pixels

SPACES = {b"RGB ": "RGB", b"GRAY": "GRAY", b"CMYK": "CMYK"}
_GRID = np.linspace(0, 1, 4096)
_ROWS = 256  # rows per step: doubles of a complete photograph would take gigabytes
_SAME = 0.002  # what turns sRGB colors by less is sRGB: half a step of 8 bits, and its writers' roundings
_PARAMETERS = (1, 3, 4, 5, 7)  # of each type of parametric curve


class ProfileError(ValueError):
    """A damaged or unsupported profile; the message completes "color profile ignored: …"."""


@dataclass(frozen=True)
class Profile:
    """An ICC profile: its `data`, its color `space` (a value of `SPACES`), and its curves and matrix, if it has them.

    `curves` `(1 or 3, 4096)` are linear light over 0..1; `matrix` `(3, 3)` maps linear light to XYZ (D50). `both_ways`
    says whether colors can be converted back to the profile.
    """

    data: bytes
    space: str
    curves: Doubles | None
    matrix: Doubles | None
    both_ways: bool

    @classmethod
    def parse(cls, data: bytes) -> Profile:
        """Read an ICC profile. Raises `ProfileError`."""
        try:
            ImageCms.ImageCmsProfile(io.BytesIO(data))
            tags, space = _tags(data), SPACES.get(data[16:20])
        except Exception as error:  # LittleCMS may also be missing, which Pillow tells when it is first used
            raise ProfileError("it is damaged") from error
        if space is None:
            raise ProfileError(f"it is for {data[16:20].decode('ascii', 'replace').strip()}")
        shaper = None if b"A2B0" in tags or data[20:24] != b"XYZ " else _shaper(tags, space)
        curves, matrix = shaper or (None, None)
        return cls(data, space, curves, matrix, space == "RGB" and (shaper is not None or b"B2A0" in tags))

    def to_srgb(self, pixels: Pixels) -> Pixels:
        """Convert colors `(H, W, 3)` from this RGB or gray profile to sRGB. Raises `ProfileError`."""
        if self.curves is None or self.matrix is None:
            return self._converted(pixels, self.data, srgb(), "L" if self.space == "GRAY" else "RGB")
        if self.space == "RGB" and np.abs(self._shaped(_PROBE) - _PROBE).max() < _SAME:
            return pixels
        return self._shaped(pixels)

    def _shaped(self, pixels: Pixels) -> Pixels:
        return _by_rows(pixels, (self.curves, self.matrix), (_own().curves, _own().matrix))

    def from_srgb(self, pixels: Pixels) -> Pixels:
        """Convert sRGB colors `(H, W, 3)` to this RGB profile; colors outside it are clipped. Raises `ProfileError`."""
        if self.curves is None or self.matrix is None:
            return self._converted(pixels, srgb(), self.data, "RGB")
        return _by_rows(pixels, (_own().curves, _own().matrix), (self.curves, self.matrix))

    def rgb(self, image: Image.Image) -> Image.Image:
        """Convert a PIL image in this profile's space to sRGB, mode RGB. Raises `ProfileError`."""
        return _lcms(image, self.data, srgb())

    @staticmethod
    def _converted(pixels: Pixels, before: bytes, after: bytes, mode: str) -> Pixels:
        image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).convert(mode)
        return np.asarray(_lcms(image, before, after)).astype(np.float32) / np.float32(255)


@cache
def srgb() -> bytes:
    """Return the sRGB profile that nst embeds in images: always the same bytes."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return profile[:24] + struct.pack(">6H", 2024, 1, 1, 0, 0, 0) + profile[36:]  # it would hold the time of day


@cache
def _own() -> Profile:
    return Profile.parse(srgb())


_PROBE = np.stack(np.meshgrid(*[np.linspace(0, 1, 9, dtype=np.float32)] * 3), axis=-1).reshape(27, 27, 3)


def _lcms(image: Image.Image, before: bytes, after: bytes) -> Image.Image:
    source, target = (ImageCms.ImageCmsProfile(io.BytesIO(data)) for data in (before, after))
    try:
        done = ImageCms.profileToProfile(image, source, target, ImageCms.Intent.PERCEPTUAL, outputMode="RGB")
    except ImageCms.PyCMSError as error:
        raise ProfileError("it is damaged, or does not fit the picture") from error
    assert done is not None  # as it is when converting in place
    return done


def _by_rows(pixels: Pixels, before: tuple[Any, Any], after: tuple[Any, Any]) -> Pixels:
    """Convert colors from one set of curves and matrix to another."""
    matrix = np.linalg.inv(after[1]) @ before[1]
    converted = np.empty_like(pixels)
    for top in range(0, len(pixels), _ROWS):
        rows = pixels[top : top + _ROWS]
        light = np.stack([np.interp(rows[..., i], _GRID, before[0][i % len(before[0])]) for i in range(3)], -1)
        light = (light @ matrix.T).clip(0, 1)
        for i in range(3):
            converted[top : top + _ROWS, :, i] = np.interp(light[..., i], after[0][i % len(after[0])], _GRID)
    return converted


def _tags(data: bytes) -> dict[bytes, bytes]:
    (count,) = struct.unpack_from(">I", data, 128)
    entries = (struct.unpack_from(">4sII", data, 132 + 12 * i) for i in range(min(count, 200)))
    return {name: data[start : start + size] for name, start, size in entries}


def _shaper(tags: Mapping[bytes, bytes], space: str) -> tuple[Doubles, Doubles] | None:
    """Return the curves and the matrix, or None if the profile has none or they cannot be inverted."""
    letters = (b"r", b"g", b"b") if space == "RGB" else (b"k",)
    try:
        with np.errstate(all="ignore"):  # whatever comes of mad parameters is looked at below
            curves = np.stack([_curve(tags[letter + b"TRC"]) for letter in letters])
        columns = [np.frombuffer(tags[letter + b"XYZ"], ">i4", 3, 8) / 65536 for letter in letters if space == "RGB"]
    except (KeyError, ValueError, IndexError, struct.error):
        return None
    matrix = np.stack(columns, axis=1) if columns else _own().matrix
    sound = np.isfinite(curves).all() and (np.diff(curves) >= 0).all() and (curves[:, -1] > curves[:, 0]).all()
    return (curves, matrix) if matrix is not None and sound and abs(np.linalg.det(matrix)) > 1e-6 else None


def _curve(tag: bytes) -> Doubles:
    """Read a `curv` or `para` tag as linear light at `_GRID`."""
    if tag[:4] == b"para":
        (kind,) = struct.unpack_from(">H", tag, 8)
        return _parametric(kind, np.frombuffer(tag[12:], ">i4", _PARAMETERS[kind]) / 65536)
    if tag[:4] != b"curv":
        raise ValueError(tag[:4])
    (count,) = struct.unpack_from(">I", tag, 8)
    points = np.frombuffer(tag, ">u2", count, 12)
    if count < 2:
        return np.power(_GRID, points[0] / 256) if count else _GRID
    return np.interp(_GRID, np.linspace(0, 1, count), points / 65535)


def _parametric(kind: int, parameters: Doubles) -> Doubles:
    """Compute a parametric curve (ICC.1:2022, table 68): `(a x + b)^g + e` from d on, and `c x + f` below."""
    g, a, b, c, d, e, f = (*parameters, *(0.0,) * 7)[:7]
    if kind == 0:
        a = 1.0
    if kind == 2:
        c, e, f = 0.0, c, c
    if kind in (1, 2):
        d = -b / a if a else 0.0
    above = np.power(np.maximum(a * _GRID + b, 0), g) + e
    curve: Doubles = np.where(d <= _GRID, above, c * _GRID + f).clip(0, 1)
    return curve
