"""Convert brush strokes to a mask, and apply the mask to the styles."""

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
    "nothing": "is ignored",
    "keep": "stays a photograph",
    "only": "is painted, and the rest stays unchanged",
    "last": "is painted like the last style, and the rest like the other styles",
}


@dataclass(frozen=True)
class Regions:
    """The styles outside of masks, the masks with their styles, and the mask of the protected part."""

    styles: Sequence[str]
    masks: Sequence[tuple[str, Sequence[str]]] = ()
    protect: str | None = None


def mask_of(layers: Sequence[Any]) -> Mask | None:
    """Return the largest alpha of the layers `(H, W, 4)` uint8 as a mask in 0..1, or None if all are empty."""
    alphas = [np.asarray(layer)[..., 3] for layer in layers if layer is not None and np.asarray(layer).any()]
    if not alphas:
        return None
    mask: Mask = (np.max(alphas, axis=0) / np.float32(255)).astype(np.float32)
    return mask


def regions(use: str, mask: Mask | None, styles: Sequence[str], file: Path) -> Regions:
    """Return the regions of a brush mode. A mask that is used is written to `file`. Raise `UserError`."""
    if use == "nothing":
        return Regions(styles)
    if mask is None:
        raise UserError(
            "this brush mode needs a marked part", "mark a part of the content with the brush, or choose 'is ignored'"
        )
    if use == "last" and len(styles) < 2:
        raise UserError(
            "this brush mode needs two styles; the last one fills the marked part",
            "add a style, or choose another mode",
        )
    images.write(file, np.repeat(mask[..., None], 3, axis=-1))
    path = str(file)
    if use == "keep":
        return Regions(styles, protect=path)
    return Regions((), [(path, styles)]) if use == "only" else Regions(styles[:-1], [(path, styles[-1:])])
