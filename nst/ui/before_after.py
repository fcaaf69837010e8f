"""Before and after, one over the other, with an edge that fingers, mouse and keys can move."""

from __future__ import annotations

from base64 import b64encode
from html import escape
from io import BytesIO

import numpy as np
from PIL import Image

from nst.images import fit, load_image, resize
from nst.images.source import PathLike
from nst.protocols import Pixels

LARGEST = 1024  # pixels, long side of what is shown; the file itself is the one to download
QUALITY = 90
_MOVE = "this.parentElement.style.setProperty('--cut', this.value + '%')"


def html(before: PathLike, after: PathLike) -> str:
    """The slider for two picture files of one shape; the pictures are inside, so that they have no address."""
    left, right = (_shown(load_image(path)) for path in (before, after))
    height, width = right.shape[:2]
    left = resize(left, (height, width))
    return (
        f'<figure class="slider" style="--cut: 50%; aspect-ratio: {width} / {height}">'
        f'<img alt="before" src="{data_url(left)}"><img alt="after" class="over" src="{data_url(right)}">'
        f'<span class="edge"></span><input type="range" min="0" max="100" value="50" aria-label="Before and after" '
        f'oninput="{escape(_MOVE)}"></figure>'
    )


def _shown(pixels: Pixels) -> Pixels:
    height, width = pixels.shape[:2]
    return resize(pixels, fit(height, width, min(LARGEST, max(height, width))))


def data_url(pixels: Pixels) -> str:
    """A picture as a JPEG in an address."""
    file = BytesIO()
    Image.fromarray((pixels * 255).round().astype(np.uint8)).save(file, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{b64encode(file.getvalue()).decode()}"
