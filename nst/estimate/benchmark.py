"""Evaluations timed where a run is going to compute: at small sizes, with the run's own losses."""

from __future__ import annotations

import statistics
import time
from dataclasses import dataclass

import numpy as np

from nst.engine.problem import Level, Problem, build_level
from nst.protocols import FeatureBackend

PATIENCE = 0.25  # seconds after which no further evaluation is timed
ROUNDS = 5
LARGEST = 1024  # pixels a side of the arrays that the optimizer's arithmetic is timed on


@dataclass(frozen=True)
class Clocked:
    """Seconds of the first evaluation, with all it needs, and of those that follow."""

    first: float
    next: float


def clock(problem: Problem, level: Level) -> Clocked:
    """Time the evaluation of the content at a level.

    Of several evaluations the middle one counts, against a moment in which the machine was busy.
    """
    began = time.perf_counter()
    image = level.backend.asarray(problem.canvas(level).spread(problem.content))
    objective = build_level(problem, level)
    objective(image)
    first, rounds = time.perf_counter() - began, list[float]()
    while len(rounds) < ROUNDS and sum(rounds) < PATIENCE:
        began = time.perf_counter()
        objective(image)
        rounds.append(time.perf_counter() - began)
    return Clocked(first, statistics.median(rounds))


def seconds_per_byte(backend: FeatureBackend, shape: tuple[int, int]) -> float:
    """Measure the seconds per byte that the backend takes to add two images."""
    small = [min(side, LARGEST) for side in shape]
    image = backend.asarray(np.zeros((*small, 3), np.float32))
    total, rounds = image + 0.5 * image, list[float]()
    for _ in range(ROUNDS):
        began = time.perf_counter()
        total = total + 0.5 * image
        backend.to_host(total[:1, :1])  # waits for a device that computes on its own
        rounds.append(time.perf_counter() - began)
    return statistics.median(rounds) / (small[0] * small[1] * 12)
