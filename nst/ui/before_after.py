"""Compare two images with a slider that touch, mouse and keyboard can move."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

import numpy as np
from PIL import Image

from nst.images import fit, load_image, resize
from nst.images.source import PathLike
from nst.protocols import Pixels

LARGEST = 1024  # pixels, long side of the displayed images; the download has full size
QUALITY = 90
_MOVE = "this.parentElement.style.setProperty('--cut', this.value + '%')"


def html(before: PathLike, after: PathLike) -> str:
    """Return the HTML of a slider for two image files. The images are embedded, so they have no URL of their own."""
    left, right = (_scaled_down(load_image(path)) for path in (before, after))
    height, width = right.shape[:2]
    left = resize(left, (height, width))
    return (
        f'<figure class="slider" style="--cut: 50%; aspect-ratio: {width} / {height}">'
        f'<img alt="before" src="{data_url(left)}"><img alt="after" class="over" src="{data_url(right)}">'
        f'<span class="edge"></span><input type="range" min="0" max="100" value="50" aria-label="Before and after" '
        f'oninput="{escape(_MOVE)}"></figure>'
    )


def _scaled_down(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return resize(pixels, fit(height, width, min(LARGEST, max(height, width))))


def data_url(pixels: Pixels) -> str:
    """Return an image as a `data:` URL with JPEG data."""
    file = BytesIO()
    Image.fromarray((pixels * 255).round().astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
