"""What is painted on the content with the brush, and what it is good for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nst import images
from nst.engine.masks import Mask
from nst.errors import UserError

USES: Mapping[str, str] = {
    "nothing": "nothing (the brush is ignored)",
    "keep": "stays like the photograph",
    "only": "is painted, the rest stays as it is",
    "last": "is painted like the last style, the rest like the others",
}


@dataclass(frozen=True)
class Regions:
    """Where what is painted: the styles of the rest, the masks with their styles, and what is held on to."""

    styles: Sequence[str]
    masks: Sequence[tuple[str, Sequence[str]]] = ()
    protect: str | None = None


def mask_of(layers: Sequence[Any]) -> Mask | None:
    """Where any of the layers `(H, W, 4)` uint8 is not transparent, 0..1; None where nothing is painted."""
    alphas = [np.asarray(layer)[..., 3] for layer in layers if layer is not None and np.asarray(layer).any()]
    if not alphas:
        return None
    mask: Mask = (np.max(alphas, axis=0) / np.float32(255)).astype(np.float32)
    return mask


def regions(use: str, mask: Mask | None, styles: Sequence[str], file: Path) -> Regions:
    """How styles and brush go together; the mask is written to `file` if it is used. Raises `UserError`."""
    if use == "nothing":
        return Regions(styles)
    if mask is None:
        raise UserError("nothing is painted with the brush", "paint on the content, or choose what the brush is for")
    if use == "last" and len(styles) < 2:
        raise UserError("the brush takes the last of two or more styles", "add a style")
    images.write(file, np.repeat(mask[..., None], 3, axis=-1))
    path = str(file)
    if use == "keep":
        return Regions(styles, protect=path)
    return Regions((), [(path, styles)]) if use == "only" else Regions(styles[:-1], [(path, styles[-1:])])
