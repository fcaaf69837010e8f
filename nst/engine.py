"""The loop: sizes from coarse to fine, steps at each, and never a dead end.

The engine receives objects, never names: a backend, losses already at hand, an optimizer, pictures. It owns stopping,
the best image so far, the rescue from a loss that is not finite, and telling the caller how it goes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any

from nst.areas import Mask
from nst.descent import Descent, Mean
from nst.errors import NstError
from nst.images import fit, resize
from nst.objective import Frugal, build_objective
from nst.protocols import FeatureBackend, Iterate, Objective, Optimizer, Pixels
from nst.terms import LossUse, Region, pointwise_terms, style_terms
from nst.tiles import cut


@dataclass(frozen=True)
class Level:
    """One size of a run: its long side in pixels, its steps, and the network that is asked."""

    size: int
    steps: int
    backend: FeatureBackend


@dataclass(frozen=True)
class Task:
    """Everything one picture needs, as objects.

    `levels` go from coarse to fine; `start` is the first image. `style` losses are drawn towards the regions' styles,
    `pointwise` ones towards the content; `style_scale` is the styles' size relative to the picture's. `protect`
    `(H, W)`, 0..1, says where the content is held on to more firmly. `average` is the share of the running mean of the
    images that each step keeps: above 0 the mean is the result, and not the image of the lowest loss. `tile` is the
    side in pixels of the tiles to compute in, 0 for the whole image until memory runs out, None for the whole image
    come what may.
    """

    levels: Sequence[Level]
    content: Pixels
    regions: Sequence[Region]
    start: Pixels
    style: Sequence[LossUse]
    pointwise: Sequence[LossUse]
    optimizer: Optimizer
    optimizer_options: Mapping[str, Any]
    style_scale: float = 1.0
    average: float = 0.0
    tile: int | None = 0
    protect: Mask | None = None


@dataclass(frozen=True)
class Progress:
    """One step, as `on_iterate` sees it.

    `step` of `steps` counts over all sizes, `size` is the long side in pixels, `loss` and `terms` belong to the image
    that `pixels()` returns, `seconds` is what this step took. `note` says what went wrong on the way to it, if
    anything did.
    """

    step: int
    steps: int
    size: int
    loss: float
    terms: Mapping[str, float]
    seconds: float
    pixels: Callable[[], Pixels]
    note: str = ""


@dataclass
class Run:
    """What a run has come to so far. `stopped` is "finished", "interrupted" or "diverged"."""

    pixels: Pixels
    history: list[dict[str, Any]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    stopped: str = "finished"


PROTECTION = 20.0  # how many times more the content weighs where it is protected

OnIterate = Callable[[Progress], None]


def run(task: Task, on_iterate: OnIterate | None = None) -> Run:
    """Optimize at each size in turn, each starting from the enlarged result of the last.

    Ctrl-C returns the best image so far as "interrupted"; before the first step it is raised. Raises `NstError` when
    the loss is not finite at the start.
    """
    outcome = Run(task.start)
    try:
        for level in task.levels:
            _run_level(task, level, outcome, on_iterate)
            if outcome.stopped != "finished":
                break
    except KeyboardInterrupt:
        if not outcome.history:
            raise
        outcome.stopped = "interrupted"
    return outcome


def _run_level(task: Task, level: Level, outcome: Run, on_iterate: OnIterate | None) -> None:
    """Leaves the best image of this size, or their mean, in `outcome`, whatever ends it."""
    shape = _shape(task, level)
    build = partial(_objective, task, level)
    objective = build(0) if task.tile is None else Frugal(build, task.tile, max(shape), outcome.notes.append)
    descent = Descent(task.optimizer, objective, task.optimizer_options)
    start = level.backend.asarray(resize(outcome.pixels, shape))
    mean = Mean(task.average)
    first = len(outcome.history)
    before = time.perf_counter()
    try:
        for iterate in islice(descent.iterates(start), level.steps):
            now = time.perf_counter()
            if task.average:
                mean.add(iterate.image)
            progress = _progress(task, level, len(outcome.history) + 1, iterate, now - before, descent)
            outcome.history.append(_row(progress))
            if on_iterate:
                on_iterate(progress)
            before = now
    finally:
        if descent.best is not None:
            best = mean.value if task.average else descent.best.image
            outcome.pixels = level.backend.to_numpy(best)
        outcome.notes.extend(descent.notes)
    if descent.gave_up:
        outcome.stopped = "diverged"
    elif (taken := len(outcome.history) - first) < level.steps:
        outcome.notes.append(
            f"at {level.size} px the optimizer found nothing better after {taken} of {level.steps} steps"
        )


def _shape(task: Task, level: Level) -> tuple[int, int]:
    """(height, width) of the image at a level."""
    height, width = task.content.shape[:2]
    return fit(height, width, level.size)


def _objective(task: Task, level: Level, tile: int) -> Objective:
    """The objective of a level, in tiles of so many pixels."""
    shape, style, pointwise = _shape(task, level), _used(task.style), _used(task.pointwise)
    if tile and (whole := [use.name for use in style if use.whole]):
        raise NstError(f"'{whole[0]}' cannot be computed in tiles", "choose another --style-loss, or --tile off")
    tiles = cut(shape, tile, [layer for use in (*style, *pointwise) for layer in use.layers])
    content = resize(task.content, shape)
    regions = [_at(region, shape, level.size * task.style_scale) for region in task.regions]
    hold = None if task.protect is None else 1 + PROTECTION * resize(task.protect, shape)
    terms = [term for use in style for each in regions for term in style_terms(level.backend, use, each, tiles, tile)]
    for use in pointwise:
        terms += pointwise_terms(level.backend, use, content, tiles, hold if use.protects else None)
    return build_objective(level.backend, terms, tiles)


def _used(uses: Sequence[LossUse]) -> list[LossUse]:
    return [use for use in uses if use.weight]


def _at(region: Region, shape: tuple[int, int], long_side: float) -> Region:
    """A region for an image of another shape, its styles' long sides at most `long_side` pixels."""
    mask = None if region.mask is None else resize(region.mask, shape)
    return replace(region, styles=[_shrink(style, long_side) for style in region.styles], mask=mask)


def _shrink(style: Pixels, long_side: float) -> Pixels:
    """The style with its long side at most `long_side`: enlarging it would only teach the picture blur."""
    height, width = style.shape[:2]
    return resize(style, fit(height, width, round(min(long_side, max(height, width)))))


def _progress(task: Task, level: Level, step: int, iterate: Iterate, seconds: float, descent: Descent) -> Progress:
    return Progress(
        step=step,
        steps=sum(each.steps for each in task.levels),
        size=level.size,
        loss=iterate.evaluation.loss,
        terms=iterate.evaluation.terms,
        seconds=seconds,
        pixels=lambda: level.backend.to_numpy(iterate.image),
        note=descent.news(),
    )


def _row(progress: Progress) -> dict[str, Any]:
    return {
        "step": progress.step,
        "size": progress.size,
        "loss": progress.loss,
        "terms": dict(progress.terms),
        "seconds": progress.seconds,
    }
