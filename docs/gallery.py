"""Make the sheets of the gallery: `python docs/gallery.py [FOLDER]`, or `make gallery`. Takes some minutes.

The photographs are scikit-image's, in the public domain. The paintings are our own (`nst.images.demo_painting`),
also in other colors. The masks are drawn here. The network is the compact one, so that everybody gets the same sheets.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from skimage import data

from nst import Recipe
from nst.engine.masks import Mask
from nst.images import color_transfer, load_image
from nst.images.demo_painting import paint_demo
from nst.io import atomic
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.protocols import Pixels
from nst.reports.side_by_side import side_by_side

SIZE = 320  # pixels, of each picture's long side
ACROSS = 4
MOST = 150_000  # bytes of a sheet
CORNER = 48  # pixels of a picture's corner, enlarged

Sheet = Mapping[str, Pixels]


@cache
def photo(name: str) -> Pixels:
    """One of scikit-image's."""
    return load_image(getattr(data, name)())


@cache
def painting(name: str) -> Pixels:
    """Return the bay, the bay with red and blue exchanged, and the bay in gray."""
    bay = paint_demo()
    made = {"bay": bay, "copper bay": bay[..., ::-1], "gray bay": np.repeat(bay.mean(axis=-1, keepdims=True), 3, -1)}
    return np.ascontiguousarray(made[name])


def painted(content: str, *styles: str, masks: Any = (), protect: Mask | None = None, **choices: Any) -> Pixels:
    """Stylize a photograph like paintings; `masks` are pairs of a mask and its painting."""
    recipe = Recipe(size=SIZE, weights="compact", **choices)
    patches = [(mask, [painting(style)]) for mask, style in masks]
    sources = Sources(photo(content), [painting(style) for style in styles], patches, protect)
    return Job(sources, recipe).stylize().pixels


def ellipse(content: str, box: Sequence[float], soft: float = 0) -> Mask:
    """White inside `box`, in shares of the photograph's width and height; `soft` is the width of its edge, likewise."""
    height, width = photo(content).shape[:2]
    drawn = Image.new("L", (width, height))
    ImageDraw.Draw(drawn).ellipse(
        [share * side for share, side in zip(box, (width, height) * 2, strict=True)], fill=255
    )
    return np.asarray(drawn.filter(ImageFilter.GaussianBlur(soft * width / 2)), np.float32) / np.float32(255)


def shown(mask: Mask) -> Pixels:
    """Return a mask as a picture with a thin frame, so that its white is visible on a white page."""
    drawn = np.pad(mask[2:-2, 2:-2], 2, constant_values=0.8)
    return np.repeat(drawn[..., None], 3, axis=-1)


def colors() -> Sheet:
    """Every mode of `--color`."""
    given = {"the photograph": photo("coffee"), "the painting": painting("bay")}
    return given | {f"--color {mode}": painted("coffee", "bay", color=mode) for mode in color_transfer.MODES}


SAUCER = (0.135, 0.05, 0.79, 0.97)
CUP = (0.285, 0.03, 0.70, 0.67)


def hard() -> Sheet:
    """Make the sheet of a mask with a hard edge: cup and table in two styles, and the cup alone."""
    mask = ellipse("coffee", SAUCER)
    return {
        "the photograph": photo("coffee"),
        "mask.png": shown(mask),
        "one painting each": painted("coffee", "copper bay", masks=[(mask, "bay")]),
        "no painting for the rest": painted("coffee", masks=[(mask, "bay")]),
    }


def soft() -> Sheet:
    """Make the sheet of a gradient mask: one style changes into another."""
    height, width = photo("rocket").shape[:2]
    mask = np.tile(np.linspace(0, 1, width, dtype=np.float32), (height, 1))
    edge = ellipse("chelsea", (0.1, -0.3, 0.85, 1.0), soft=0.15)
    return {
        "ramp.png": shown(mask),
        "from the bay to the copper bay": painted("rocket", "bay", masks=[(mask, "copper bay")]),
        "soft.png": shown(edge),
        "a soft edge around the cat": painted("chelsea", "copper bay", masks=[(edge, "bay")]),
    }


def several() -> Sheet:
    """Three regions, three paintings."""
    cup = ellipse("coffee", CUP)
    saucer = np.clip(ellipse("coffee", SAUCER) - cup, 0, 1)
    masks = [(cup, "copper bay"), (saucer, "bay")]
    return {
        "cup.png: the copper bay": shown(cup),
        "saucer.png: the bay": shown(saucer),
        "the rest: the gray bay": painting("gray bay"),
        "three paintings": painted("coffee", "gray bay", masks=masks),
    }


def protect() -> Sheet:
    """Make the sheet of a portrait."""
    mask = ellipse("astronaut", (0.3, 0.02, 0.6, 0.4), soft=0.06)
    return {
        "the photograph": photo("astronaut"),
        "without --protect": painted("astronaut", "bay"),
        "face.png": shown(mask),
        "--protect face.png": painted("astronaut", "bay", protect=mask),
    }


def padding() -> Sheet:
    """As usual, and without bleed with each padding; and a corner of each picture four times as large."""
    kinds = ("zero", "reflect", "replicate")
    bare = {f"no bleed, {kind}": painted("rocket", "bay", bleed=0, padding=kind) for kind in kinds}
    found = {"eight pixels": painted("rocket", "bay"), **bare}
    return found | {f"{name}, its corner": corner(pixels) for name, pixels in found.items()}


def corner(pixels: Pixels) -> Pixels:
    """Return the lower left corner, enlarged without smoothing."""
    return np.kron(pixels[-CORNER:, :CORNER], np.ones((4, 4, 1), np.float32))


SHEETS: Mapping[str, tuple[Callable[[], Sheet], int]] = {
    "colors": (colors, ACROSS),
    "mask-hard": (hard, ACROSS),
    "mask-soft": (soft, ACROSS),
    "regions": (several, ACROSS),
    "protect": (protect, ACROSS),
    "padding": (padding, 4),
}
"""Every sheet by the name of its file: what is on it, and how many pictures stand in a row."""


def arranged(sheet: Sheet, across: int) -> Pixels:
    """Return the pictures in rows."""
    named = list(sheet.items())
    rows = [side_by_side(dict(named[i : i + across]), height=220) for i in range(0, len(named), across)]
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0)), constant_values=1) for row in rows])


def jpeg(sheet: Pixels) -> bytes:
    """Return the best JPEG of at most `MOST` bytes."""
    picture = Image.fromarray((sheet * 255).round().astype(np.uint8))
    return next(found for found in _jpegs(picture) if len(found) <= MOST)


def _jpegs(picture: Image.Image) -> Iterator[bytes]:
    for quality in range(92, 0, -4):
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=quality, optimize=True, progressive=True)
        yield file.getvalue()


def main(folder: str = str(Path(__file__).parent / "gallery"), *names: str) -> None:
    """Paint the sheets `names`, or all."""
    Path(folder).mkdir(parents=True, exist_ok=True)
    for name in names or SHEETS:
        make, across = SHEETS[name]
        found = jpeg(arranged(make(), across))
        atomic.replace(Path(folder) / f"{name}.jpg", lambda file, found=found: file.write(found))
        print(f"{name}.jpg, {len(found):,} bytes")


if __name__ == "__main__":
    main(*sys.argv[1:])
