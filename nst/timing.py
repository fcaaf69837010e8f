"""One evaluation, timed where a run is going to compute: at a small size, with the run's own losses."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

from nst.engine import Level, Task, build_level
from nst.images import fit, resize
from nst.protocols import Array, FeatureBackend, Objective

PATIENCE = 0.4  # seconds after which no further evaluation is timed
ROUNDS = 3
LARGEST = 1024  # pixels a side of the arrays that the optimizer's arithmetic is timed on


@dataclass(frozen=True)
class Clocked:
    """Seconds of the first evaluation, with all it needs, and of those that follow."""

    first: float
    next: float


def clock(task: Task, before: Level, level: Level) -> Clocked:
    """Time the evaluation of the content at a level.

    What a framework does but once it does at the level `before`, and of several evaluations the middle one counts,
    against a moment in which the machine was busy.
    """
    _first(task, before)
    first, objective, image = _first(task, level)
    rounds: list[float] = []
    while len(rounds) < ROUNDS and sum(rounds) < PATIENCE:
        began = time.perf_counter()
        objective(image)
        rounds.append(time.perf_counter() - began)
    return Clocked(first, statistics.median(rounds))


def _first(task: Task, level: Level) -> tuple[float, Objective, Array]:
    height, width = task.content.shape[:2]
    shape = fit(height, width, level.size)
    began = time.perf_counter()
    image, objective = level.backend.asarray(resize(task.content, shape)), build_level(task, level)
    objective(image)
    return time.perf_counter() - began, objective, image


def seconds_per_byte(backend: FeatureBackend, shape: tuple[int, int]) -> float:
    """What a sum of two images of the backend's takes, for each byte of one of them."""
    small = [min(side, LARGEST) for side in shape]
    image = backend.asarray(np.zeros((*small, 3), np.float32))
    total = image + 0.5 * image
    began = time.perf_counter()
    for _ in range(ROUNDS):
        total = total + 0.5 * image
    backend.to_host(total[:1, :1])  # waits for a device that computes on its own
    return (time.perf_counter() - began) / (ROUNDS * small[0] * small[1] * 12)
