"""A run as it stands after some step: all it needs to go on as if nothing had happened, on the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Host = NDArray[np.floating[Any]]


@dataclass(frozen=True)
class Snapshot:
    """What `nst.engine.run` takes as `resume`.

    `level` counts sizes from 0, `taken` the steps at it. `image` is that of the last step, `state` the optimizer's
    there, and `scale` what its steps are multiplied by. `best` is the image of the lowest loss, `best_loss`, at this
    size; `mean` the running sum of images and `mean_weight` what it is divided by. `tile` is the size the objective was
    cut to. `history` and `notes` are the run's so far. `start` is the image that the size started from, where a loss is
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
