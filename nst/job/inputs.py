"""The images of a job: content, style images, masked regions and the mask that protects the content."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np

from nst import images
from nst.engine.masks import Mask
from nst.errors import Findings, UserError
from nst.images import Picture, transparency
from nst.images.source import path_of
from nst.recipe.fields import numbered

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709, on the values as encoded

PICTURES = (*images.SUFFIXES, ".bmp", ".gif", ".heic", ".heif")  # suffixes of the style images in a folder

_SEPARATOR = re.compile(r":(?!//|\d+/|(?<=^[A-Za-z]:)[\\/]|(?<=[:,][A-Za-z]:)[\\/])")
"""A colon that is not part of a URL (`s3://`, `:8080/`) or of a Windows drive (`C:\\`)."""


@dataclass(frozen=True)
class Sources:
    """The images of a job, not yet read: paths, Pillow images or arrays `(H, W, 3)`.

    Each item of `styles` is an image, a folder, or a list of images that form one style. Each item of `masks` is a mask
    with the styles of the region under that mask. Content is preserved where `protect` is white. `max_pixels` limits
    the size of an image file; None is the default of `nst.images`.
    """

    content: Any
    styles: Sequence[Any]
    masks: Sequence[tuple[Any, Sequence[Any]]] = ()
    protect: Any = None
    max_pixels: int | None = None

    def files(self) -> list[str]:
        """Return every path, in the order content, styles, masks with their styles, `protect`."""
        masked_styles = [name for mask, styles in self.masks for name in (mask, *styles)]
        names = [self.content, *self.styles, *masked_styles, *([self.protect] if self.protect else [])]
        return [path for name in names for path in ([name] if isinstance(name, str) else name)]


@dataclass(frozen=True)
class Style:
    """One style: an image, or several images whose share is divided equally."""

    images: Sequence[Picture]


@dataclass(frozen=True)
class MaskedRegion:
    """A region with styles of its own; `mask` is `(H, W)`, 0..1, at the size of its file.

    `source` is the mask's path as given, or "" for a mask in memory.
    """

    name: str
    mask: Mask
    styles: Sequence[Style]
    source: str = ""


@dataclass(frozen=True)
class Inputs:
    """The images of a job, read.

    `styles` apply outside all masked regions. `protect` `(H, W)`, 0..1, is 1 where the content is preserved;
    `protect_source` is its path.
    """

    content: Picture
    styles: Sequence[Style]
    masked_regions: Sequence[MaskedRegion]
    protect: Mask | None
    protect_source: str = ""

    def all_styles(self) -> list[Style]:
        """Return the unmasked styles, then the styles of each masked region."""
        return [*self.styles, *(style for region in self.masked_regions for style in region.styles)]

    def style_images(self) -> list[Picture]:
        """Return the images of all styles, in order."""
        return [image for style in self.all_styles() for image in style.images]

    def files(self) -> Iterator[tuple[str, str, int]]:
        """Yield role, path and style number of each image; a region's styles follow its mask, styles count from 1."""
        numbers = count(1)
        yield "content", self.content.source, 0
        yield from _style_files(self.styles, numbers)
        for region in self.masked_regions:
            yield "mask", region.source, 0
            yield from _style_files(region.styles, numbers)
        if self.protect is not None:
            yield "protect", self.protect_source, 0


def _style_files(styles: Sequence[Style], numbers: Iterator[int]) -> Iterator[tuple[str, str, int]]:
    for style, number in zip(styles, numbers, strict=False):
        yield from (("style", image.source, number) for image in style.images)


def parse_mask(text: str) -> tuple[str, list[str]]:
    """Read a mask and its styles. Raises `UserError`.

    `sky.png:wave.jpg` or `sky.png:wave.jpg,scream.jpg`; the colons of URLs and Windows drives do not separate. Names
    with other colons or commas are a JSON list: `["12:30.png", "a,b.jpg"]`.
    """
    mask, *styles = _json_names(text) or _split_mask(text)
    if not (mask and styles and all(styles)):
        hint = 'write it like sky.png:wave.jpg, or as a JSON list: ["sky.png", "wave.jpg"]'
        raise UserError(f"--mask '{text}' is not MASK:STYLE", hint)
    return mask, styles


def _split_mask(text: str) -> list[str]:
    colons = [match.start() for match in _SEPARATOR.finditer(text)]
    return [text[: colons[-1]], *text[colons[-1] + 1 :].split(",")] if colons else [text]


def _json_names(text: str) -> list[str]:
    """Return the names of a JSON list, or an empty list for any other text."""
    try:
        names = json.loads(text)
    except ValueError:
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []


def read_inputs(sources: Sources, findings: Findings) -> Inputs | None:
    """Read the images of a job; add an error to `findings` for each unreadable one, and then return None."""
    reader, errors_before = _Reader(findings, sources.max_pixels), len(findings.errors)
    content = reader.picture(sources.content)
    styles = [reader.style(source) for source in sources.styles]
    regions = [reader.region(mask, own_styles) for mask, own_styles in sources.masks]
    protect = reader.mask(sources.protect) if sources.protect is not None else None
    if content is None or len(findings.errors) > errors_before:
        return None
    return Inputs(content, styles, _uniquely_named(regions), protect, path_of(sources.protect))


class _Reader:
    """Reader of images that collects the errors of all of them."""

    def __init__(self, findings: Findings, max_pixels: int | None) -> None:
        self._findings = findings
        self._max_pixels = max_pixels

    def image(self, source: Any) -> Picture | None:
        image: Picture | None = self._findings.attempt(partial(images.read, source, max_pixels=self._max_pixels))
        return image

    def picture(self, source: Any) -> Picture | None:
        """Read an image with its visible colors spread into its transparent parts."""
        image = self.image(source)
        if image is not None and image.alpha is not None and not image.alpha.any():
            hint = "give a picture of which something can be seen"
            self._findings.add(UserError(f"'{image.source or 'the picture'}' is transparent everywhere", hint))
        return image and transparency.filled(image)

    def style(self, source: Any) -> Style:
        sources = self._findings.attempt(partial(style_sources, source)) or []
        return Style([image for item in sources if (image := self.picture(item)) is not None])

    def region(self, mask: Any, styles: Sequence[Any]) -> MaskedRegion:
        name = Path(mask).stem if isinstance(mask, str | os.PathLike) else "patch"
        return MaskedRegion(name, self.mask(mask), [self.style(source) for source in styles], path_of(mask))

    def mask(self, source: Any) -> Mask:
        image = self.image(source)
        if image is None:
            return np.ones((1, 1), np.float32)
        mask = luminance(image)
        if not mask.any():
            self._findings.add(UserError(f"the mask '{image.source}' is black everywhere", "white is where it counts"))
        return mask


def luminance(image: Picture) -> Mask:
    """Return the luminance of an image `(H, W)`, 0..1, times its alpha."""
    light: Mask = np.clip(image.pixels @ LUMINANCE, 0, 1).astype(np.float32)
    return light if image.alpha is None else light * image.alpha


def is_picture(path: str | Path) -> bool:
    """Check by its name whether a file is a picture; macOS leaves `._x.jpg` beside `x.jpg`, which is none."""
    name = Path(path)
    return name.suffix.lower() in PICTURES and not name.name.startswith(".")


def style_sources(source: Any) -> list[Any]:
    """Return the images of one style: the files of a folder by name, the items of a list, or `source` itself.

    Raises `UserError` for a folder without images.
    """
    if isinstance(source, list | tuple):
        return list(source)
    if not (isinstance(source, str | os.PathLike) and os.path.isdir(source)):
        return [source]
    paths = [str(path) for path in sorted(Path(source).iterdir()) if is_picture(path)]
    if not paths:
        raise UserError(f"no pictures in the folder '{source}'", f"it takes {', '.join(PICTURES)}")
    return paths


def _uniquely_named(regions: Sequence[MaskedRegion]) -> list[MaskedRegion]:
    """Add a number to repeated region names, because loss terms carry the name."""
    names = numbered([region.name for region in regions])
    return [replace(region, name=name) for region, name in zip(regions, names, strict=True)]
