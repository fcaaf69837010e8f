"""The pictures of a job: what is painted, like what, and where."""

from __future__ import annotations

import os
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
from nst.images import Picture
from nst.images.source import path_of

LUMINANCE = np.array([0.2126, 0.7152, 0.0722], np.float32)  # Rec. 709, of the values as they are encoded

PICTURES = (*images.SUFFIXES, ".bmp", ".gif", ".heic", ".heif")  # what counts as a picture in a folder


@dataclass(frozen=True)
class Style:
    """What to paint like: a picture, or several works taken as one."""

    works: Sequence[Picture]


@dataclass(frozen=True)
class MaskedRegion:
    """A part of the picture with styles of its own; `mask` `(H, W)`, 0..1, at whatever size it was drawn.

    `source` is the mask's path as given, "" when it came from memory.
    """

    name: str
    mask: Mask
    styles: Sequence[Style]
    source: str = ""


@dataclass(frozen=True)
class Inputs:
    """Everything that is read before a job begins.

    `styles` are for all of the picture that no patch covers; `protect` `(H, W)`, 0..1, says where to hold on to the
    content, and `protect_source` whence it came.
    """

    content: Picture
    styles: Sequence[Style]
    patches: Sequence[MaskedRegion]
    protect: Mask | None
    protect_source: str = ""

    def every_style(self) -> list[Style]:
        """The styles of the whole, then those of the patches, in order."""
        return [*self.styles, *(style for patch in self.patches for style in patch.styles)]

    def works(self) -> list[Picture]:
        """Every picture to paint like."""
        return [work for style in self.every_style() for work in style.works]

    def files(self) -> Iterator[tuple[str, str, int]]:
        """Role, path and style of every picture, a patch's styles after its mask; styles are counted from 1."""
        numbers = count(1)
        yield "content", self.content.source, 0
        yield from _files(self.styles, numbers)
        for patch in self.patches:
            yield "mask", patch.source, 0
            yield from _files(patch.styles, numbers)
        if self.protect is not None:
            yield "protect", self.protect_source, 0


def _files(styles: Sequence[Style], numbers: Iterator[int]) -> Iterator[tuple[str, str, int]]:
    for style, number in zip(styles, numbers, strict=False):
        yield from (("style", work.source, number) for work in style.works)


StyleInput = str | Sequence[str]
"""The path of a picture or of a folder of works, or the paths of works, taken as one style."""


@dataclass(frozen=True)
class Sources:
    """The same, not yet read: paths, as a person names them; of each mask the styles for what it covers."""

    content: str
    styles: Sequence[StyleInput]
    masks: Sequence[tuple[str, Sequence[StyleInput]]] = ()
    protect: str | None = None

    def files(self) -> list[str]:
        """Every path."""
        masked = [name for mask, styles in self.masks for name in (mask, *styles)]
        named = [self.content, *self.styles, *masked, *([self.protect] if self.protect else [])]
        return [name for each in named for name in ([each] if isinstance(each, str) else each)]


def masked(text: str) -> tuple[str, list[str]]:
    """`sky.png:wave.jpg` or `sky.png:wave.jpg,scream.jpg` as a mask and its styles. Raises `UserError`."""
    mask, colon, styles = text.rpartition(":")
    if not (mask and colon and all(styles.split(","))):
        raise UserError(f"--mask '{text}' is not MASK:STYLE", "write it like sky.png:wave.jpg")
    return mask, styles.split(",")


class Reader:
    """Reads pictures, and keeps what is wrong with any of them in `found`."""

    def __init__(self, found: Findings, max_pixels: int | None) -> None:
        self._found = found
        self._max_pixels = max_pixels

    def inputs(
        self, content: Any, styles: Sequence[Any], masks: Sequence[tuple[Any, Sequence[Any]]], protect: Any
    ) -> Inputs | None:
        """All of them, or None when one could not be read. A folder or a list is one style of all its pictures."""
        whole, painted = self._picture(content), [self._style(source) for source in styles]
        patches = [self._patch(mask, own) for mask, own in masks]
        held = self._mask(protect) if protect is not None else None
        if self._found.errors or whole is None:
            return None
        return Inputs(whole, painted, _named(patches), held, path_of(protect))

    def _picture(self, source: Any) -> Picture | None:
        picture: Picture | None = self._found.attempt(partial(images.read, source, max_pixels=self._max_pixels))
        return picture

    def _style(self, source: Any) -> Style:
        sources = self._found.attempt(lambda: works(source)) or []
        return Style([work for each in sources if (work := self._picture(each)) is not None])

    def _patch(self, mask: Any, styles: Sequence[Any]) -> MaskedRegion:
        name = Path(mask).stem if isinstance(mask, str | os.PathLike) else "patch"
        return MaskedRegion(name, self._mask(mask), [self._style(source) for source in styles], path_of(mask))

    def _mask(self, source: Any) -> Mask:
        picture = self._picture(source)
        if picture is None:
            return np.ones((1, 1), np.float32)
        mask = luminance(picture)
        if not mask.any():
            self._found.add(UserError(f"the mask '{picture.source}' is black everywhere", "white is where it counts"))
        return mask


def luminance(picture: Picture) -> Mask:
    """How light a picture is `(H, W)`, 0..1; where it is transparent it is black."""
    light: Mask = np.clip(picture.pixels @ LUMINANCE, 0, 1).astype(np.float32)
    return light if picture.alpha is None else light * picture.alpha


def works(source: Any) -> list[Any]:
    """What a style consists of: the pictures in a folder by name, those of a list, or itself. Raises `UserError`."""
    if isinstance(source, list | tuple):
        return list(source)
    if not (isinstance(source, str | os.PathLike) and os.path.isdir(source)):
        return [source]
    found = [str(path) for path in sorted(Path(source).iterdir()) if path.suffix.lower() in PICTURES]
    if not found:
        raise UserError(f"no pictures in the folder '{source}'", f"it takes {', '.join(PICTURES)}")
    return found


def _named(patches: Sequence[MaskedRegion]) -> list[MaskedRegion]:
    """Each with a name of its own, which its terms carry."""
    names = [patch.name for patch in patches]
    again = [names[:i].count(name) for i, name in enumerate(names)]
    return [
        replace(patch, name=f"{patch.name} {times + 1}") if times else patch
        for patch, times in zip(patches, again, strict=True)
    ]
