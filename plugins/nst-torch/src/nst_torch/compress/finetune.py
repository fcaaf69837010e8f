"""Trains the student end to end, against the teacher's activations, where its own optimizations lead.

Block 1 stays as the closed form left it: its errors are below a hundredth, and it has most of the pixels. What the
layers that stay give is kept with the teacher's answers, and each batch is learned from several times: the answers are
what costs most. A second phase trains blocks 4 and 5 alone, where the errors are and the pixels are not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import takewhile
from typing import Any

import numpy as np
import torch

from nst.protocols import Tensor
from nst_torch.compress.calibration import Calibration
from nst_torch.compress.closed_form import Fit
from nst_torch.compress.loss import distance
from nst_torch.compress.pool import Pool
from nst_torch.compress.regression import packed, unpacked
from nst_torch.compress.stack import Stack

RATE = 0.02  # of Adam at its highest, as a share of an output's size
WARM = 50  # steps of a rising rate: at once it would undo the closed form
KEPT = 0.99  # of the running mean of the weights, which is the result
WORKS, FURTHER = 2, 10  # pictures from the pool in a batch, with their styles; steps they are taken further


@dataclass(frozen=True)
class Phase:
    """Training of the convolutions after `frozen`; a batch has `fresh` new pictures, and `kept` are, used so often."""

    frozen: str
    fresh: int
    uses: int
    kept: int


WHOLE = Phase("conv1_2", fresh=6, uses=5, kept=48)
DEEP = Phase("conv3_4", fresh=10, uses=8, kept=250)


@dataclass(frozen=True)
class Batch:
    """What the frozen layers give, `(N, C, H, W)`, and what the others should, by name: pictures, styles, new ones."""

    inputs: Tensor
    targets: Mapping[str, Tensor]


@dataclass(frozen=True)
class Step:
    """One step done: `terms` sum to the loss; `student` makes the network with the mean of the weights so far."""

    number: int
    terms: Mapping[str, float]
    student: Callable[[], Stack]


class Supply:
    """Batches, most of them seen before."""

    def __init__(
        self, teacher: Stack, fits: Sequence[Fit], calibration: Calibration, pool: Pool, rng: np.random.Generator
    ) -> None:
        self.phase = WHOLE
        self._teacher, self._fits = teacher, fits
        self._calibration, self._pool, self._rng = calibration, pool, rng
        self._kept: list[Batch] = []
        self._given = 0

    def enter(self, phase: Phase) -> None:
        """Begin another phase: what is kept is of no use to it."""
        self.phase, self._kept, self._given = phase, [], 0

    @torch.no_grad()
    def next(self, student: Stack) -> Batch:
        """Return a new batch at every `fresh`-th call, and a stored batch otherwise."""
        self._given += 1
        if self._given % self.phase.uses != 1:
            return self._kept[self._rng.integers(len(self._kept))]
        with torch.enable_grad():
            images, styles = self._pool.advance(student, WORKS, FURTHER)
        pixels = torch.cat([images, styles, self._calibration.draw(self.phase.fresh)])
        *_, (_, inputs) = takewhile(lambda layer: layer[0] <= self.phase.frozen, student.relus(pixels))
        answers = targets(self._teacher, self._fits, pixels)
        learned = {name: answer for name, answer in answers.items() if name > self.phase.frozen}
        self._kept = [*self._kept[1 - self.phase.kept :], Batch(inputs, learned)]
        return self._kept[-1]


class Trained:
    """The student as what is trained: a matrix per convolution, for inputs made uncorrelated.

    Activations are positive and much alike, so that plain gradients see little but their mean. With each convolution
    written as `matrix @ inverse(root)` its input has the identity for covariance, and steps go as far in every
    direction: the input's half of K-FAC (Martens & Grosse 2015), with the closed form's own statistics.
    """

    def __init__(self, start: Stack, fits: Sequence[Fit], frozen: str) -> None:
        self._start = start
        learning = [fit for fit in fits if fit.name > frozen]
        self._inverses = {fit.name: torch.linalg.inv(fit.root) for fit in learning}
        self.matrices = {fit.name: packed(*start.convs[fit.name]) @ fit.root for fit in learning}

    def stack(self, matrices: Mapping[str, Tensor]) -> Stack:
        """Return the student with these matrices."""
        kernels = {name: unpacked(matrix @ self._inverses[name]) for name, matrix in matrices.items()}
        return Stack(self._start.mean, {**self._start.convs, **kernels})


def finetune(start: Stack, fits: Sequence[Fit], supply: Supply, steps: int) -> Iterator[Step]:
    """Yield steps of Adam on all convolutions except those that the supply's phase leaves unchanged."""
    frozen = supply.phase.frozen
    trained = Trained(start, fits, frozen)
    matrices = {name: matrix.clone().requires_grad_() for name, matrix in trained.matrices.items()}
    rates = [RATE / math.sqrt(matrix.shape[1]) for matrix in matrices.values()]
    groups: Any = [{"params": [matrix]} for matrix in matrices.values()]
    optimizer = torch.optim.Adam(groups, betas=(0.9, 0.99), eps=1e-10)
    for number in range(1, steps + 1):
        for group, rate in zip(optimizer.param_groups, rates, strict=True):
            group["lr"] = rate * _progress(number, steps)
        student = trained.stack(matrices)
        batch = supply.next(student.detached())
        terms = distance(dict(student.deeper(batch.inputs, frozen)), batch.targets, WORKS)
        optimizer.zero_grad()
        torch.autograd.backward(torch.stack(list(terms.values())).sum())
        optimizer.step()
        _follow(trained.matrices, matrices, min(KEPT, number / (number + 10)))
        mean = partial(trained.stack, dict(trained.matrices))
        yield Step(number, {name: float(term.detach()) for name, term in terms.items()}, mean)


@torch.no_grad()
def targets(teacher: Stack, fits: Sequence[Fit], pixels: Tensor) -> dict[str, Tensor]:
    """Return the target of the student's activations: the teacher's chosen channels, scaled."""
    activations = {}
    for fit, (name, activation) in zip(fits, teacher.relus(pixels), strict=True):
        activations[name] = activation[:, fit.channels] * fit.scale
    return activations


def _progress(number: int, steps: int) -> float:
    """Return the share of the highest learning rate: a short warm-up and a long cosine."""
    return min(1.0, number / WARM) * (0.5 + 0.5 * math.cos(math.pi * number / (steps + 1)))


@torch.no_grad()
def _follow(mean: Mapping[str, Tensor], matrices: Mapping[str, Tensor], share: float) -> None:
    for name, matrix in matrices.items():
        mean[name].lerp_(matrix, 1 - share)
