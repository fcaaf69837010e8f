"""Draw a contact sheet: pictures in a captioned grid, as one picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from nst.images import resize
from nst.protocols import Pixels
from nst.reports.side_by_side import INK, MARGIN

WIDTH = 320  # pixels, the width of a cell
LINE = 20  # pixels, the height of one of a caption's two lines
PAPER = (255, 255, 255)
ABSENT = (232, 232, 232)


Captioned = tuple[str, Pixels | None]
"""A caption and its picture. None is a missing picture, drawn as a gray cell."""


def rows(pictures: Sequence[Captioned], across: int) -> list[Sequence[Captioned]]:
    """Split the pictures into rows of `across`."""
    return [pictures[i : i + across] for i in range(0, len(pictures), across)]


def grid(rows: Sequence[Sequence[Captioned]], proportion: float) -> Pixels:
    """Return rows of captioned pictures, each fitted into a cell of `WIDTH` by `WIDTH * proportion` pixels."""
    height = max(LINE, round(WIDTH * proportion))
    across, down = WIDTH + MARGIN, height + 2 * LINE + MARGIN
    size = max(map(len, rows)) * across + MARGIN, len(rows) * down + MARGIN
    sheet = Image.new("RGB", size, PAPER)
    draw = ImageDraw.Draw(sheet)
    font = ImageFont.load_default(size=15)
    for i, row in enumerate(rows):
        for j, (caption, pixels) in enumerate(row):
            left, top = MARGIN + j * across, MARGIN + i * down
            _place(sheet, draw, pixels, (left, top), height)
            draw.multiline_text((left, top + height + 4), "\n".join(_wrapped(caption, font)), INK, font)
    return np.asarray(sheet, np.float32) / np.float32(255)


def panels(grids: Sequence[tuple[str, Sequence[Sequence[Captioned]]]], proportion: float) -> Pixels:
    """Return titled grids one below the other, as `grid` draws them."""
    parts = [part for title, rows in grids for part in (_title(title), grid(rows, proportion))]
    width = max(part.shape[1] for part in parts)
    padded = [np.pad(part, ((0, 0), (0, width - part.shape[1]), (0, 0)), constant_values=1) for part in parts]
    return np.concatenate(padded)


def _title(title: str) -> Pixels:
    font = ImageFont.load_default(size=20)
    strip = Image.new("RGB", (2 * MARGIN + round(font.getlength(title)), MARGIN + 24), PAPER)
    ImageDraw.Draw(strip).text((MARGIN, MARGIN), title, INK, font)
    return np.asarray(strip, np.float32) / np.float32(255)


def _place(
    sheet: Image.Image, draw: ImageDraw.ImageDraw, pixels: Pixels | None, at: tuple[int, int], height: int
) -> None:
    left, top = at
    if pixels is None:
        draw.rectangle((left, top, left + WIDTH - 1, top + height - 1), ABSENT)
        return
    tall, wide = pixels.shape[:2]
    scale = min(WIDTH / wide, height / tall)
    shown = resize(pixels, (max(1, round(tall * scale)), max(1, round(wide * scale))))
    sheet.paste(Image.fromarray((shown * 255).round().astype(np.uint8)), at)


def _wrapped(caption: str, font: ImageFont.ImageFont | ImageFont.FreeTypeFont) -> list[str]:
    """Return at most two lines that fit the width of a cell. The rest of the caption becomes an ellipsis."""
    lines: list[str] = []
    rest = caption
    while rest and len(lines) < 2:
        cut = len(rest)
        while cut > 1 and font.getlength(rest[:cut] + ("…" if len(lines) == 1 and cut < len(rest) else "")) > WIDTH:
            cut -= 1
        if cut < len(rest) and not lines:
            cut = 1 + max(rest[:cut].rfind(" "), rest[:cut].rfind(",")) or cut
        lines.append(rest[:cut].strip())
        rest = rest[cut:]
    return [*lines[:-1], lines[-1] + "…"] if rest else lines
