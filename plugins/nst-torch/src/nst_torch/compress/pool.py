"""Pictures in the course of an optimization by the student itself: the ones it must not be wrong about.

A student that knows only finished pictures is a poor guide: the optimizer soon finds pictures that it takes for good
ones and that its teacher would not. Such pictures are made here, as the student learns, and it is trained on them
(after Ross, Gordon & Bagnell 2011, "dataset aggregation": learn where the learner itself leads).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from nst.protocols import Tensor
from nst_torch.compress.calibration import Calibration
from nst_torch.compress.loss import STYLE_LAYERS, gram, relative
from nst_torch.compress.stack import Stack

CONTENT_LAYER = "conv4_2"
MOST_STEPS = 150  # of one picture, then another takes its place
MOMENTS = 0.9, 0.99  # of Adam


@dataclass
class Work:
    """One picture `(3, H, W)` on its way from its start to its style; `steps` says how many are left."""

    image: Tensor
    style: Tensor
    content: Tensor
    weight: float
    rate: float
    steps: int
    first: Tensor
    second: Tensor
    taken: int = 0


class Pool:
    """Works in progress; a part of them, in turn, goes some steps further each time."""

    def __init__(self, calibration: Calibration, count: int, rng: np.random.Generator) -> None:
        self._calibration = calibration
        self._rng = rng
        self.works = [self._begun() for _ in range(count)]
        for work in self.works:
            work.steps = int(rng.integers(1, MOST_STEPS))
        self._next = 0

    def advance(self, student: Stack, count: int, steps: int) -> tuple[Tensor, Tensor]:
        """Pictures `(count, 3, H, W)` so many steps further down the student's loss, and their styles."""
        places = [(self._next + place) % len(self.works) for place in range(count)]
        self._next = (self._next + count) % len(self.works)
        works = [self.works[place] for place in places]
        _descend(student, works, steps)
        images, styles = (torch.stack([getattr(work, name) for work in works]) for name in ("image", "style"))
        for place in places:
            if self.works[place].steps <= 0:
                self.works[place] = self._begun()
        return images, styles

    def _begun(self) -> Work:
        content, style = self._calibration.draw(2)
        noise = torch.from_numpy(self._rng.random(content.shape, np.float32))
        ratio = float(self._rng.choice([0.0, 0.0, 0.3, 1.0]))
        start = content * (1 - ratio) + noise * ratio
        weight = float(self._rng.choice([0.0, 1.0])) * 10 ** float(self._rng.uniform(-2.5, -0.5))
        rate, steps = 10 ** float(self._rng.uniform(-2, -1.2)), int(self._rng.integers(MOST_STEPS // 4, MOST_STEPS))
        return Work(start, style, content, weight, rate, steps, torch.zeros_like(start), torch.zeros_like(start))


def _descend(student: Stack, works: list[Work], steps: int) -> None:
    """So many steps of Adam for each work, together."""
    with torch.no_grad():
        style = _seen(student, torch.stack([work.style for work in works]))
        content = _seen(student, torch.stack([work.content for work in works]))[CONTENT_LAYER]
    grams = {name: gram(style[name]) for name in STYLE_LAYERS if name in style}
    weights = torch.tensor([work.weight for work in works])
    for _ in range(steps):
        image = torch.stack([work.image for work in works]).requires_grad_()
        features = _seen(student, image)
        terms = [relative(gram(features[name]), target) for name, target in grams.items()]
        loss = (sum(terms) / len(terms) + weights * relative(features[CONTENT_LAYER], content)).sum()
        (gradient,) = torch.autograd.grad(loss, image)
        for work, slope in zip(works, gradient, strict=True):
            _step(work, slope)


def _seen(student: Stack, pixels: Tensor) -> dict[str, Tensor]:
    """Return the activations that an optimization compares."""
    features = {}
    for name, activation in student.relus(pixels):
        if name in (*STYLE_LAYERS, CONTENT_LAYER):
            features[name] = activation
        if name == STYLE_LAYERS[-1]:
            break
    return features


def _step(work: Work, slope: Tensor) -> None:
    """Adam (Kingma & Ba 2015, algorithm 1), held near 0..1 as `nst.losses.range` would."""
    fading, keeping = MOMENTS
    work.taken, work.steps = work.taken + 1, work.steps - 1
    work.first = fading * work.first + (1 - fading) * slope
    work.second = keeping * work.second + (1 - keeping) * slope.square()
    mean, spread = work.first / (1 - fading**work.taken), work.second / (1 - keeping**work.taken)
    work.image = (work.image - work.rate * mean / (spread.sqrt() + 1e-12)).clamp(-0.05, 1.05)
