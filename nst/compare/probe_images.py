"""What every backend is asked about: the same three images, the same layers, the same positions.

L-BFGS is chaotic (a nudge of 1e-7 grew to 0.09 in 40 steps), so finished pictures cannot say whether two backends
compute the same. Features, terms and gradients at pinned images can, and so can a short run of a calm optimizer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.images import fit, resize
from nst.protocols import Pixels
from nst.vgg.architecture import smallest_side

Floats = NDArray[np.float32]

SIZE = 255
"""Long side in pixels: odd at each of the five pools, where frameworks are most likely to part ways."""

SEED = 0
SPREAD = 8  # layers beside the recipe's own
GRID = 24  # positions kept of a layer each way
EDGE = 2  # rows and columns kept at each border, where padding shows

ADAM_STEPS = 20
ADAM_SHOWN = (1, ADAM_STEPS)  # a difference at the first step is the optimizer's, one that grows the gradient's
ADAM_LR = 0.01
"""With `epsilon` at the largest gradient of the start, Adam answers a gradient's size and not its sign alone.

With its usual 1e-8 it moves a pixel of no gradient by the sign of its rounding error. Measured at 255 and 127 px,
compact and full VGG-19, gradients disturbed by 1e-7 … 5e-6 of their maximum: 20 usual steps then differ by up to
25/255, these by at most 0.14/255, while pixels move by 3/255 on average and 25/255 at most.
"""


def images(content: Pixels, size: int) -> dict[str, Pixels]:
    """Return the content at a long side of `size` pixels, uniform noise of that shape, and the mean of both."""
    shape = fit(content.shape[0], content.shape[1], size)
    shrunk = np.ascontiguousarray(resize(content, shape))
    noise = np.random.default_rng(SEED).random((*shape, 3), dtype=np.float32)
    return {"content": shrunk, "noise": noise, "half-way": (shrunk + noise) * np.float32(0.5)}


def long_side(content: Pixels, layers: Sequence[str], largest: int) -> int:
    """Return the long side of probe images: `SIZE`, less for a small picture, more for one too thin for `layers`."""
    height, width = content.shape[:2]
    least: int = -(-smallest_side(layers) * max(height, width) // min(height, width))
    return max(min(SIZE, largest), least)


def layers(used: Sequence[str], offered: Sequence[str], shape: tuple[int, ...]) -> tuple[str, ...]:
    """Return the layers `used` and a selection of those `offered` that an image of this shape reaches, in order."""
    reached = [layer for layer in offered if smallest_side([layer]) <= min(shape[:2])]
    spread = set(reached[:: max(1, len(reached) // SPREAD)]) | set(used)
    return tuple(layer for layer in reached if layer in spread)


def sample(features: Any) -> Floats:
    """Features `(H_l, W_l, C_l)` on the host at `GRID` rows and columns at most, the borders' among them."""
    if hasattr(features, "detach"):  # torch's arrays must be brought here, and NumPy knows no bfloat16
        features = features.detach().cpu().float()
    values = np.asarray(features, np.float32)
    return values[np.ix_(_positions(values.shape[0]), _positions(values.shape[1]))]


def _positions(count: int) -> NDArray[np.int64]:
    """Up to `GRID` of `count` positions: `EDGE` at each end, the rest evenly between."""
    if count <= GRID:
        return np.arange(count)
    inside = np.linspace(EDGE, count - 1 - EDGE, GRID - 2 * EDGE).round().astype(np.int64)
    return np.concatenate([np.arange(EDGE), inside, np.arange(count - EDGE, count)])


def adam_options(gradient: Mapping[str, Floats]) -> dict[str, float]:
    """How the pinned Adam run goes, from the gradient at its start, the half-way image."""
    return {"lr": ADAM_LR, "epsilon": float(np.abs(gradient["half-way"]).max())}
