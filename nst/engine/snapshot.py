"""The state of a run after a step, on the host: a resumed run continues as the uninterrupted run would."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Host = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Snapshot:
    """The argument `resume` of `nst.engine.optimize`.

    `level` is the index of the size, `taken` the number of steps at this size. `image` is the image of the last step,
    `state` the optimizer's state there, `scale` the factor of its steps. `best` is the image of the lowest loss at this
    size, `best_loss`. `mean` is the running sum of images, `mean_weight` its divisor. `tile` is the tile size.
    `history` and `notes` are those of the run so far. `start` is the image that the size started from, if a loss is
    matched on it.
    """

    level: int
    taken: int
    image: Host
    state: Mapping[str, Host | int | float]
    scale: float
    best: Host
    best_loss: float
    mean: Host | None
    mean_weight: float
    tile: int | None
    history: list[dict[str, Any]]
    notes: list[str]
    start: Host | None = None
