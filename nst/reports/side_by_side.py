"""Draw captioned pictures side by side, as one picture."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst.images import fit, resize
from nst.protocols import Pixels

MARGIN = 16  # pixels
CAPTION = 28
PAPER = 1.0
INK = (40, 40, 40)


def side_by_side(pictures: Mapping[str, Pixels], height: int = 384) -> Pixels:
    """Return one row of pictures, all `height` pixels high, each with its name below."""
    shown = {name: _at_height(pixels, height) for name, pixels in pictures.items()}
    width = sum(pixels.shape[1] for pixels in shown.values()) + MARGIN * (len(shown) + 1)
    sheet = np.full((height + 2 * MARGIN + CAPTION, width, 3), PAPER, np.float32)
    left, captions = MARGIN, {}
    for name, pixels in shown.items():
        sheet[MARGIN : MARGIN + height, left : left + pixels.shape[1]] = pixels
        captions[name] = left
        left += pixels.shape[1] + MARGIN
    return _captioned(sheet, captions, MARGIN + height + 6)


def _at_height(pixels: Pixels, height: int) -> Pixels:
    tall, wide = pixels.shape[:2]
    return resize(pixels, (height, fit(tall, wide, round(max(tall, wide) * height / tall))[1]))


def _captioned(sheet: Pixels, captions: Mapping[str, int], top: int) -> Pixels:
    """Draw each caption on the sheet at its left edge, in pixels."""
    image = Image.fromarray((sheet * 255).round().astype(np.uint8))
    draw = ImageDraw.Draw(image)
    for name, left in captions.items():
        draw.text((left, top), name, INK, ImageFont.load_default(size=16))
    return np.asarray(image, np.float32) / np.float32(255)
