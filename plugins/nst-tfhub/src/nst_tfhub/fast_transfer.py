"""Arbitrary stylization in one pass: any content size, several styles, any strength.

The network sees each style as one small square and keeps of it 100 numbers, the bottleneck. Styles are blended and
weakened there, as mixtures of those numbers. Contents that the network cannot take whole are painted in tiles.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

import numpy as np

from nst.errors import UserError
from nst.images import fit, resize
from nst.protocols import Pixels
from nst_tfhub import tiles
from nst_tfhub.framing import extended, paintable, style_view
from nst_tfhub.models import Blend, Code, Weights

REMEMBERED = 64
"""Codes kept: a folder of pictures in a few styles reads each style once."""


class FastTransfer:
    """A `nst.protocols.ImageBackend`. Construction imports the runtime; raises `UserError` for unfit weights.

    `strength` 0..1 goes from the content's own style to the styles'. Styles are seen at `style_size` pixels a side.
    Pictures of more than `tile` × `tile` pixels are painted in tiles.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        device: str = "auto",
        strength: float = 1.0,
        style_size: int = 256,
        tile: int = 1280,
    ) -> None:
        self._model = weights.open(device)
        if self._model.style_side not in (None, style_size):
            hint = f"set style_size to {self._model.style_side}"
            raise UserError(f"these weights cannot see a style at {style_size} pixels", hint)
        self.device, self.precision, self.notes = self._model.device, self._model.precision, self._model.notes
        self._strength, self._style_size, self._tile = strength, style_size, tile
        self._codes: dict[bytes, Code] = {}

    def stylize(
        self, content: Pixels, styles: Sequence[Pixels], *, blend: Sequence[float], style_scale: float
    ) -> Pixels:
        """Return the stylized content, `(H, W, 3)` 0..1, at the content's size.

        `blend` holds the styles' shares, summing to 1. `style_scale` enlarges their strokes, see
        `nst_tfhub.framing.style_view`.
        """
        mixture = [
            (self._code(style, style_scale), self._strength * share) for style, share in zip(styles, blend, strict=True)
        ]
        if self._strength < 1:
            mixture.append((self._code(content, 1.0), 1 - self._strength))
        return np.ascontiguousarray(self._paint(content, mixture).clip(0, 1))

    def peak_memory(self) -> int | None:
        """Return the peak device memory in bytes; None on the CPU."""
        return self._model.peak_memory()

    def _code(self, style: Pixels, scale: float) -> Code:
        """Return the code of a style view, computed once; the cache key is the view's pixels."""
        view = style_view(style, self._style_size, scale)
        key = blake2b(view.tobytes(), digest_size=16).digest()
        if key not in self._codes:
            if len(self._codes) >= REMEMBERED:
                del self._codes[next(iter(self._codes))]
            self._codes[key] = self._model.encode(view)
        return self._codes[key]

    def _paint(self, content: Pixels, blend: Blend) -> Pixels:
        height, width = content.shape[:2]
        if self._model.side is None and height * width <= self._tile**2:
            return self._pass(content, blend)
        side = self._model.side or self._tile
        overview = resize(self._pass(resize(content, fit(height, width, side)), blend).clip(0, 1), (height, width))
        if max(height, width) <= side:
            return overview
        return self._tiled(content, blend, overview, side)

    def _tiled(self, content: Pixels, blend: Blend, overview: Pixels, side: int) -> Pixels:
        height, width = content.shape[:2]
        # A network of one size sees as much of the picture as it can; the others save work.
        length = min if self._model.side else tiles.shortest

        def paint(rows: slice, columns: slice) -> Pixels:
            return tiles.toned(self._pass(content[rows, columns], blend), overview[rows, columns])

        return tiles.assembled((height, width), (length(height, side), length(width, side)), paint)

    def _pass(self, content: Pixels, blend: Blend) -> Pixels:
        """One run of the network: the content mirrored at its right and lower edges until it fits, and cut again."""
        height, width = content.shape[:2]
        side = self._model.side
        padded = extended(content, side or paintable(height), side or paintable(width))
        return self._model.paint(padded, blend)[:height, :width]
