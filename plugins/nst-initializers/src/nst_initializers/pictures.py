"""Starts made of the pictures at hand."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nst.images import resize
from nst.protocols import Pixels


def content(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """Return the content image unchanged."""
    return content.copy()


def style(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """Return the first style image, resized and cropped to the content's size."""
    return cover(styles[0], content)


def blend(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator, *, ratio: float = 0.5) -> Pixels:
    """Mix the content linearly with the mean of the styles, whose share is `ratio`."""
    mean: Pixels = np.mean([cover(style, content) for style in styles], axis=0)
    return ((1 - ratio) * content + ratio * mean).clip(0, 1)


def gray(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator, *, value: float = 0.5) -> Pixels:
    """One flat gray."""
    return np.full(content.shape, value, np.float32)


def cover(picture: Pixels, content: Pixels) -> Pixels:
    """Resize the image to cover the content's size, keeping its aspect ratio, and crop the center."""
    height, width = content.shape[:2]
    rows, columns = picture.shape[:2]
    scale = max(height / rows, width / columns)
    scaled = resize(picture, (max(height, round(rows * scale)), max(width, round(columns * scale))))
    top, left = (scaled.shape[0] - height) // 2, (scaled.shape[1] - width) // 2
    return scaled[top : top + height, left : left + width].copy()
