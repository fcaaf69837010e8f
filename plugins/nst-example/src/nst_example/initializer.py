"""The content, sprinkled with the styles' colors."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from nst.protocols import Pixels


def sprinkle(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator, *, share: float = 0.3) -> Pixels:
    """Return the content, with each pixel replaced by a random style pixel with probability `share`."""
    palette = np.concatenate([style.reshape(-1, 3) for style in styles])
    chosen = rng.random(content.shape[:2]) < share
    start = content.copy()
    start[chosen] = rng.choice(palette, size=np.count_nonzero(chosen))
    return start
