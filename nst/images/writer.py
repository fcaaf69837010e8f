"""Write `Pixels` to an image file atomically."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, features

from nst.errors import NstError, UserError, unknown
from nst.images import deep, metadata
from nst.images.picture import Floats, Picture, from_samples
from nst.images.profile import Profile, srgb
from nst.images.source import PathLike, reason
from nst.io import atomic
from nst.protocols import Pixels

_KINDS = {
    **{".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"},
    **({".avif": "AVIF"} if features.check("avif") else {}),
}
SUFFIXES: tuple[str, ...] = tuple(_KINDS)
"""The file suffixes `write` knows; upper case is as good."""

LONGEST_NAME = 255  # bytes, on every file system in common use
BIT_DEPTHS = ("auto", "8", "16")
METADATA = ("keep", "strip")


@dataclass(frozen=True)
class WriteOptions:
    """The file options of an output; none of them changes the optimization.

    `bit_depth`: "8", "16" (PNG and TIFF), or "auto": those of the content, if the format can. `metadata`: "keep" the
    tags of the content's EXIF that `nst.images.metadata` lists, or "strip" them. `keep_profile`: write in the content's
    color profile, not in sRGB. `quality`: 1 to 100, of JPEG, WebP and AVIF.
    """

    bit_depth: str = "auto"
    metadata: str = "keep"
    keep_profile: bool = False
    quality: int = 95


def write(
    path: PathLike,
    pixels: Pixels,
    *,
    alpha: Floats | None = None,
    text: Mapping[str, str] | None = None,
    like: Picture | None = None,
    options: WriteOptions | None = None,
) -> Path:
    """Write `pixels` `(H, W, 3)` and `alpha` `(H, W)`, 0..1, in the suffix's format; return the path.

    An existing file stays until the new one is complete; an error leaves no partial file. Samples are rounded to the
    nearest, without dithering. Depth, metadata and color profile are those of `like` as `options` say; without it 8
    bits, none, and sRGB, with an embedded profile. JPEG has no alpha: the picture is composed on white. `read_text`
    reads `text`. Raises what `check_output` returns, `UserError` for a wrong range or shape, `NstError` when writing
    fails.
    """
    options = options or WriteOptions()
    if error := check_output(path, options):
        raise error
    target = Path(path)
    if alpha is not None and alpha.shape == pixels.shape[:2] and not has_alpha(target):
        pixels, alpha = alpha[..., None] * pixels + (1 - alpha[..., None]), None
    planes, icc = _planes(pixels, alpha, f"the picture for {target}", like, options)
    samples = _rounded(planes, _depth(target, like, options))
    beside = _Beside(icc, text or {}, options.quality)
    if like is not None and options.metadata == "keep":
        beside = replace(beside, exif=like.exif, dpi=like.dpi)
    try:
        atomic.replace(target, lambda file: _encode(file, _kind(target), samples, beside))
    except (OSError, ValueError) as failure:
        hint = "is the disk full? A picture of more than 16,383 pixels a side needs PNG or TIFF"
        raise NstError(f"cannot write {target}: {reason(failure)}", hint) from failure
    return target


def save_image(path: PathLike, pixels: Pixels) -> Path:
    """Write `pixels` to `path`; see `write` for options and errors."""
    return write(path, pixels)


def has_alpha(path: PathLike) -> bool:
    """Check whether the format of a path holds transparency."""
    return _kind(Path(path)) != "JPEG"


def check_output(path: PathLike, options: WriteOptions | None = None) -> UserError | None:
    """Return the error that `write(path)` would raise for options, suffix, folder or permissions; else None."""
    target = Path(path)
    refused, folder = f"cannot write {target}", target.parent
    if os.path.isdir(target):
        return UserError(f"{refused}: it is a folder", f"name a file in it: {target / 'out.png'}")
    if target.suffix.lower() not in SUFFIXES:
        suffix = f"unknown suffix '{target.suffix}'" if target.suffix else "its name has no suffix"
        return UserError(f"{refused}: {suffix}", f"choose from {', '.join(sorted(SUFFIXES))}")
    if mistake := _option_mistake(_kind(target), options or WriteOptions()):
        return UserError(f"{refused}: {mistake.message}", mistake.hint)
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
        return UserError(f"{refused}: {reason(failure)} in {folder}", "choose a folder you may write to")


def _option_mistake(kind: str, options: WriteOptions) -> UserError | None:
    for name, value, allowed in (
        ("bit depth", options.bit_depth, BIT_DEPTHS),
        ("metadata", options.metadata, METADATA),
    ):
        if value not in allowed:
            return unknown(name, value, allowed)
    if options.bit_depth == "16" and kind not in deep.KINDS:
        return UserError(f"{kind} has 8 bits a channel, not 16", "write PNG or TIFF")
    if not 1 <= options.quality <= 100:
        return UserError(f"quality must be 1 to 100, not {options.quality}", "95 is hard to tell from the original")
    return None


def _kind(target: Path) -> str:
    return _KINDS[target.suffix.lower()]


def _planes(
    pixels: Pixels, alpha: Floats | None, name: str, like: Picture | None, options: WriteOptions
) -> tuple[Floats, bytes]:
    """Return the planes `(H, W, 3 | 4)` in the color profile to be embedded, and that profile."""
    if alpha is not None and alpha.shape != pixels.shape[:2]:
        message = f"{name} has shape {pixels.shape}, its alpha {alpha.shape}"
        raise UserError(message, "resize alpha to the picture's height and width")
    picture = from_samples(pixels if alpha is None else np.dstack((pixels, alpha)), name)
    colors, icc = picture.pixels, srgb()
    if options.keep_profile and like is not None and like.profile is not None:
        colors, icc = Profile.parse(like.profile).from_srgb(colors), like.profile
    return colors if picture.alpha is None else np.dstack((colors, picture.alpha)), icc


def _depth(target: Path, like: Picture | None, options: WriteOptions) -> int:
    if options.bit_depth != "auto" or like is None or _kind(target) not in deep.KINDS:
        return 16 if options.bit_depth == "16" else 8
    return like.depth


def _rounded(planes: Floats, depth: int) -> Any:
    return np.rint(planes * (2**depth - 1)).astype(np.uint8 if depth == 8 else np.uint16)


@dataclass(frozen=True)
class _Beside:
    """The contents of a file beside its samples."""

    icc: bytes
    text: Mapping[str, str]
    quality: int
    exif: bytes = b""
    dpi: tuple[float, float] | None = None


def _encode(file: BinaryIO, kind: str, samples: Any, beside: _Beside) -> None:
    icc, text, dpi = beside.icc, beside.text, beside.dpi
    own_place = kind in ("PNG", "JPEG")  # for text and resolution
    exif = metadata.exif_with(beside.exif, {} if own_place else text, None if own_place else dpi)
    chunks = metadata.chunks(text, dpi)
    if samples.dtype == np.uint16:
        deep.write(file, kind, samples, icc, exif, chunks)
        return
    image = Image.fromarray(samples)
    density = {} if dpi is None else {"dpi": dpi}
    own: dict[str, dict[str, Any]] = {
        "PNG": {"pnginfo": chunks} | density,
        "JPEG": {"quality": beside.quality, "subsampling": "4:4:4", "extra": metadata.comments(text)} | density,
        "WEBP": {"quality": beside.quality, "exact": True},
        "AVIF": {"quality": beside.quality, "subsampling": "4:4:4"},
        "TIFF": {},
    }
    image.save(file, kind, icc_profile=icc, **({"exif": exif} if exif else {}), **own[kind])
