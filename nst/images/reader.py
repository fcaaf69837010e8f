"""Read a file that Pillow opens, or an array, as a `Picture`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, TiffImagePlugin

from nst.errors import UserError
from nst.images import deep, metadata, tiff
from nst.images.picture import Picture, from_samples
from nst.images.profile import Profile, ProfileError
from nst.images.source import MAX_PIXELS, UNNAMED, ImageSource, PathLike, name_of, opened, path_of
from nst.protocols import Pixels

_UPRIGHT: Mapping[int, Callable[[NDArray[Any]], NDArray[Any]]] = {
    2: np.fliplr,
    3: lambda stored: np.rot90(stored, 2),
    4: np.flipud,
    5: lambda stored: stored.swapaxes(0, 1),
    6: lambda stored: np.rot90(stored, -1),
    7: lambda stored: np.rot90(stored, 2).swapaxes(0, 1),
    8: np.rot90,
}
"""What makes a picture upright, by EXIF orientation."""

_GRAY = ("1", "L", "LA", "La", "F", "I", "I;16", "I;16B", "I;16L", "I;16N")
_WHOLE = ("MPO", "PSD", "HEIF")  # a phone's previews and Photoshop's layers beside the picture: nothing is left out


@dataclass
class _Decoded:
    """Samples as stored in a file, with their properties."""

    samples: NDArray[Any]
    icc: bytes = b""
    gray: bool = False
    orientation: int = 1
    exif: bytes = b""
    dpi: tuple[float, float] | None = None
    notes: list[str] = field(default_factory=list)


def read(source: ImageSource, *, max_pixels: int | None = None) -> Picture:
    """Read a path, a PIL image, or an array, without changing or sharing the source.

    Files are returned upright and in sRGB: the EXIF orientation is applied, the ICC profile converted with perceptual
    intent. 16 bits per channel are kept in PNG and TIFF. `notes` report three cases: only the first of several frames
    or pages is read, floats outside 0..1 are clipped, and a damaged profile is ignored. Arrays are `(H, W)` or `(H, W,
    1 | 3 | 4)`: uint8, uint16, or floats in 0..1; the 4th channel is straight alpha. Raises `UserError` for an
    incomplete picture, and for a file or PIL image of more than `max_pixels` (`MAX_PIXELS` for None).
    """
    if isinstance(source, np.ndarray):
        return from_samples(source, UNNAMED)
    path = path_of(source)
    if tags := tiff.tags(path):
        if error := tiff.check(path, tags, MAX_PIXELS if max_pixels is None else max_pixels):
            raise error
        decoded = _beyond_pillow(path, tags)
    else:
        with opened(source, max_pixels) as image:
            decoded = _decode(image, path)
    return _picture(decoded, name_of(source), path)


def load_image(source: ImageSource, *, max_pixels: int | None = None) -> Pixels:
    """Return the pixels of a path, a PIL image or an array; see `read` for allowed values and errors."""
    return read(source, max_pixels=max_pixels).pixels


def check_input(path: PathLike, *, max_pixels: int | None = None) -> UserError | None:
    """Return the error that `read(path)` would raise, judged by the file's header; else None."""
    if tags := tiff.tags(path_of(path)):
        return tiff.check(path_of(path), tags, MAX_PIXELS if max_pixels is None else max_pixels)
    try:
        with opened(path, max_pixels):
            return None
    except UserError as error:
        return error


def _beyond_pillow(path: str, tags: Mapping[int, Any]) -> _Decoded:
    orientation, icc = tags.get(ExifTags.Base.Orientation, 1), tags.get(TiffImagePlugin.ICCPROFILE, b"")
    gray = tags.get(TiffImagePlugin.PHOTOMETRIC_INTERPRETATION) == 1
    return _Decoded(tiff.samples(path, tags), icc, gray, orientation)


def _decode(image: Image.Image, path: str) -> _Decoded:
    notes = _frames(image)
    words = deep.samples(path) if path and deep.is_deep(image) else None
    icc = image.info.get("icc_profile") or b""
    image.load()
    if words is None and image.mode == "CMYK":
        image, icc = _printed(image, icc, notes), b""
    if image.mode == "LAB":
        icc = b""  # Pillow's own conversion knows what Lab is
    decoded = _Decoded(_samples(image) if words is None else words, icc, image.mode in _GRAY, notes=notes)
    try:
        exif = image.getexif()
        decoded.orientation, decoded.exif = exif.get(ExifTags.Base.Orientation, 1), metadata.kept(exif)
        decoded.dpi = metadata.resolution(image)
    except Exception:  # the pixels are complete; only their metadata is damaged
        notes.append("damaged EXIF data, orientation unknown")
    return decoded


def _frames(image: Image.Image) -> list[str]:
    frames = getattr(image, "n_frames", 1)
    several = frames > 1 and image.tell() == 0 and image.format not in _WHOLE
    return [f"first of {frames} {'pages' if image.format == 'TIFF' else 'frames'}"] if several else []


def _printed(image: Image.Image, icc: bytes, notes: list[str]) -> Image.Image:
    """Convert a CMYK image to sRGB, through its profile if it has one."""
    try:
        if icc:
            return _profile(icc, "CMYK").rgb(image)
    except ProfileError as error:
        notes.append(f"color profile ignored: {error}")
    return image.convert("RGB")


def _samples(image: Image.Image) -> NDArray[Any]:
    if image.mode[0] not in "IF":  # I;16, I and F are deeper than convert's 8 bits
        return np.asarray(image.convert("RGBA" if image.has_transparency_data else "RGB"))
    gray = np.asarray(image)
    # Mode I has 32 bits, but Pillow fills it from 16-bit files; no one says what white would be beyond.
    sixteen = image.mode[0] == "I" and gray.min() >= 0 and gray.max() <= 65535
    words = gray.astype(np.uint16) if sixteen else gray
    transparent = image.info.get("transparency")
    return deep.keyed(words, transparent) if sixteen and isinstance(transparent, int) else words


def _picture(decoded: _Decoded, name: str, path: str) -> Picture:
    stored, notes = decoded.samples, decoded.notes
    picture = from_samples(_UPRIGHT.get(decoded.orientation, np.asarray)(_clipped(stored, notes)), name)
    pixels, profile = _managed(picture, decoded)
    facts: dict[str, Any] = {"notes": tuple(notes), "profile": profile, "exif": decoded.exif, "dpi": decoded.dpi}
    return replace(picture, pixels=pixels, source=path, **facts)


def _clipped(samples: NDArray[Any], notes: list[str]) -> NDArray[Any]:
    """Clip floats to 0..1, which high dynamic range files exceed; values that are not finite stay errors."""
    if samples.dtype.kind != "f" or not samples.size:
        return samples
    low, high = samples.min(), samples.max()
    if np.isfinite((low, high)).all() and (low < 0 or high > 1):
        notes.append(f"values from {low:g} to {high:g}, clipped to 0..1")
        return samples.clip(0, 1)
    return samples


def _managed(picture: Picture, decoded: _Decoded) -> tuple[Pixels, bytes | None]:
    """Return the pixels in sRGB, and their profile if they can be converted back to it."""
    if not decoded.icc:
        return picture.pixels, None
    try:
        profile = _profile(decoded.icc, *(("RGB", "GRAY") if decoded.gray else ("RGB",)))
        pixels = profile.to_srgb(picture.pixels)
    except ProfileError as error:
        decoded.notes.append(f"color profile ignored: {error}")
        return picture.pixels, None
    if profile.curves is None and picture.depth > 8:
        decoded.notes.append("converted to sRGB at 8 bits: its color profile consists of tables")
    return pixels, profile.data if profile.both_ways else None


def _profile(icc: bytes, *spaces: str) -> Profile:
    profile = Profile.parse(icc)
    if profile.space not in spaces:
        raise ProfileError(f"it is for {profile.space}, the picture is not")
    return profile
