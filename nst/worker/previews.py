"""Send small previews of the image while it is optimized."""

from __future__ import annotations

import time
from collections.abc import Callable
from io import BytesIO

import numpy as np
from PIL import Image

from nst.engine.level_run import Progress
from nst.orders import Preview
from nst.protocols import Pixels

SHARE = 0.02
"""The largest share of a run's time for previews."""

QUALITY = 85


class Previews:
    """An `on_iterate` callback that sends a preview every `seconds` or every `steps`; 0 turns either off.

    `size` is the long side in pixels. The interval grows when previews are slow, to limit their cost to `SHARE`.
    """

    def __init__(self, seconds: float, steps: int, size: int, tell: Callable[[Preview], object]) -> None:
        self._seconds, self._steps, self._size, self._tell = seconds, steps, size, tell
        self._due = time.monotonic() + seconds
        self._pause_until = 0.0

    def __call__(self, progress: Progress) -> None:
        """Send a preview of this step if one is due."""
        began = time.monotonic()
        due = (self._seconds and began >= self._due) or (self._steps and progress.step % self._steps == 0)
        if not due or began < self._pause_until:
            return
        self._tell(Preview(progress.step, progress.size, jpeg(progress.pixels(), self._size)))
        ended = time.monotonic()
        self._due, self._pause_until = ended + self._seconds, ended + (ended - began) / SHARE


def jpeg(pixels: Pixels, size: int) -> bytes:
    """Encode an image `(H, W, 3)`, 0..1, as a JPEG file with sides of at most `size` pixels."""
    image = Image.fromarray(np.rint(pixels * 255).astype(np.uint8))
    image.thumbnail((size, size), Image.Resampling.BOX)
    file = BytesIO()
    image.save(file, "JPEG", quality=QUALITY, subsampling="4:4:4")
    return file.getvalue()
