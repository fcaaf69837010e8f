"""The picture as it forms, small and now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from nst.engine.loop import Progress
from nst.orders import Preview
from nst.protocols import Pixels

SHARE = 0.02
"""The share of a run's time that goes into previews, at most."""

QUALITY = 85


class Previews:
    """An `on_iterate` that tells of the picture every so many seconds, or steps; 0 of either is never.

    `size` is the longest side in pixels. What takes long is done less often, and costs no more than `SHARE`.
    """

    def __init__(self, seconds: float, steps: int, size: int, tell: Callable[[Preview], object]) -> None:
        self._seconds, self._steps, self._size, self._tell = seconds, steps, size, tell
        self._due = time.monotonic() + seconds
        self._rest = 0.0

    def __call__(self, progress: Progress) -> None:
        """Take note of a step, and show it if it is time."""
        began = time.monotonic()
        wanted = (self._seconds and began >= self._due) or (self._steps and progress.step % self._steps == 0)
        if not wanted or began < self._rest:
            return
        self._tell(Preview(progress.step, progress.size, jpeg(progress.pixels(), self._size)))
        ended = time.monotonic()
        self._due, self._rest = ended + self._seconds, ended + (ended - began) / SHARE


def jpeg(pixels: Pixels, size: int) -> bytes:
    """A picture `(H, W, 3)`, 0..1, as a JPEG file of at most `size` pixels a side."""
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    image.thumbnail((size, size), Image.Resampling.BOX)
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue()
