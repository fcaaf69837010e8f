"""A recipe and pictures made into objects, in the order that finds mistakes first and imports frameworks last."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import numpy as np

from nst import images
from nst.engine import loop
from nst.engine.bleed import BleedCanvas
from nst.engine.loop import OnIterate
from nst.engine.problem import Level, Problem
from nst.engine.snapshot import Snapshot
from nst.engine.terms import Region
from nst.errors import Findings, UserError, raise_all
from nst.estimate.memory import peak_memory
from nst.estimate.model import Estimate
from nst.images import Picture
from nst.job import regions
from nst.job.backends import BackendCache, Opened
from nst.job.inputs import Inputs, Reader
from nst.job.losses import weighted_losses
from nst.job.plan import RunPlan, plan_run
from nst.job.validation import Call, Sized, each_scale, find_mistakes, is_file, size_mistakes
from nst.plugins.host import Plugin, Plugins
from nst.plugins.options import read_options
from nst.protocols import FeatureBackend, ImageBackend, Pixels
from nst.recipe.recipe import Recipe
from nst.recipe.schedule import per_size, plan
from nst.specs import BackendSpec, Spec
from nst.weights import selection
from nst.weights.selection import Choice


@dataclass(frozen=True)
class Result:
    """A finished picture and how it came about.

    `pixels` `(H, W, 3)` 0..1, `alpha` `(H, W)` 0..1 or None; `history` one row per step (`step`, `size`, `loss`,
    `terms`, `seconds`); `stopped` is "finished", "interrupted" or "diverged"; `notes` what happened on the way;
    `facts` backend, device, weights, precision, sizes, steps, seconds, peak memory in bytes, versions.
    """

    pixels: Pixels
    alpha: Pixels | None
    history: list[dict[str, Any]]
    recipe: Recipe
    stopped: str
    notes: list[str]
    facts: dict[str, Any]


def stylize(
    content: Any,
    styles: Any,
    recipe: Recipe | None = None,
    *,
    on_iterate: OnIterate | None = None,
    plugins: Plugins | None = None,
) -> Result:
    """The content painted in the manner of the styles.

    Pictures may be paths, Pillow images or arrays `(H, W, 3)`; `styles` is one or a list. `on_iterate` is called after
    every step with a `nst.engine.Progress`. Prints nothing. Ctrl-C during the steps returns the best image so far with
    `stopped="interrupted"`. Raises `UserError` with every mistake found, before any framework is imported.
    """
    several = list(styles) if isinstance(styles, list | tuple) else [styles]
    return Job(content, several, recipe or Recipe(), plugins).run(on_iterate)


class Job:
    """One picture to be made. Construction checks everything and is cheap; `open` imports the framework.

    Jobs given one mapping `loaded` share the backends they build.
    """

    def __init__(
        self,
        content: Any,
        styles: Sequence[Any],
        recipe: Recipe,
        plugins: Plugins | None = None,
        *,
        masks: Sequence[tuple[Any, Sequence[Any]]] = (),
        protect: Any = None,
        max_pixels: int | None = None,
        mistakes: Sequence[UserError] = (),
        chosen: Collection[str] = (),
        loaded: MutableMapping[Any, Opened] | None = None,
    ) -> None:
        self.recipe = recipe
        self._plugins = plugins or Plugins.from_environment()
        found = Findings()
        called = Call(len(styles), sum(len(own) for _, own in masks), bool(masks) or protect is not None)
        found.add(*mistakes, *find_mistakes(recipe, self._plugins, called, chosen))
        reading = Findings()
        inputs = Reader(reading, max_pixels).inputs(content, styles, masks, protect)
        found.add(*reading.errors)
        self._start = found.attempt(lambda: images.read(recipe.init).pixels) if is_file(recipe.init) else None
        spec: BackendSpec | None = Findings().attempt(partial(self._plugins.find, "backend", recipe.backend))
        if inputs is not None and spec is not None and spec.kind == "feature":
            found.add(*size_mistakes(recipe, _shapes(inputs, recipe.style_scale)))
        raise_all(found.errors)
        assert inputs is not None
        self.inputs = inputs
        self._estimate: Estimate | None = None
        self.spec: BackendSpec = self._plugins.find("backend", recipe.backend)
        self.sizes, self.steps = self._plan()
        self.weight_choices = selection.choose_all(self.spec, recipe.weights, len(self.sizes))
        self._choices = per_size(self.weight_choices, len(self.sizes))
        self._backends = BackendCache(recipe, self.spec, self._plugins, loaded)

    @property
    def content(self) -> Picture:
        """The picture that is painted."""
        return self.inputs.content

    @property
    def weights(self) -> Choice:
        """The weights of the last size: those that finish the picture."""
        return self._choices[-1]

    def weights_per_size(self) -> list[str]:
        """The names of the weights, size by size."""
        return [choice.name for choice in self._choices]

    def _plan(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if self.spec.kind == "image":
            return (self.recipe.size,), (0,)
        return plan(self.recipe, *self.content.pixels.shape[:2])

    def open(self) -> FeatureBackend | ImageBackend:
        """The backend of the last size, built at the first call: the first heavy import."""
        return self._backends.open(self.weights).backend  # type: ignore[no-any-return]

    def notes(self) -> list[str]:
        """What is worth saying before the first step."""
        pictures = [
            f"{picture.source}: {note}" for picture in (self.content, *self.inputs.works()) for note in picture.notes
        ]
        told = filter(None, dict.fromkeys(choice.note for choice in self._choices))
        return [*told, *self.open().notes, *pictures, *self.run_plan.notes]

    def shapes(self) -> list[tuple[int, int]]:
        """(height, width) of the picture at each size."""
        height, width = self.content.pixels.shape[:2]
        return [images.fit(height, width, size) for size in self.sizes]

    def canvases(self) -> list[tuple[int, int]]:
        """(height, width) of what is painted at each size, the rim that is cut off included."""
        return [BleedCanvas.around(shape, self.recipe.bleed).shape for shape in self.shapes()]

    def weight_hashes(self) -> dict[str, str]:
        """SHA-256 in hex of all weights in use, by name, "" for none; builds the backends if need be."""
        return {choice.name: self._backends.open(choice).digest for choice in self._choices}

    def used(self) -> Iterator[tuple[Plugin, Spec]]:
        """Every part of the run, with the plugin that offers it."""
        names = [("backend", self.recipe.backend)]
        if self.spec.kind == "feature":
            names += [("optimizer", self.recipe.optimizer), *(("loss", each.name) for each in self.recipe.all_losses())]
            names += [("initializer", self.recipe.init)] if self._start is None else []
        wanted = [self._plugins.find(*name) for name in names]
        for kind in dict.fromkeys(kind for kind, _ in names):
            yield from ((plugin, spec) for plugin, spec in self._plugins.offered(kind) if spec in wanted)

    def run(self, on_iterate: OnIterate | None = None, resume: Snapshot | None = None) -> Result:
        """Make the picture, or go on with it. See `stylize` and `nst.engine.run`."""
        began = time.perf_counter()
        backend: Any = self.open()
        outcome = loop.run(self.task(), on_iterate, resume) if self.spec.kind == "feature" else self._pass(backend)
        pixels = self.finished(outcome.pixels)
        return Result(
            pixels=pixels,
            alpha=self.alpha(pixels.shape[:2]),
            history=outcome.history,
            recipe=self.recipe,
            stopped=outcome.stopped,
            notes=[*self.notes(), *outcome.notes],
            facts=self._facts(backend, time.perf_counter() - began),
        )

    def finished(self, pixels: Pixels) -> Pixels:
        """What is painted, as the picture shows it: in the recipe's colors, and the content where nothing was to be."""
        return regions.finished(self.inputs, self.recipe, pixels)

    def alpha(self, shape: tuple[int, int]) -> Pixels | None:
        """The content's alpha at this (height, width), None where it is opaque."""
        return None if self.content.alpha is None else images.resize(self.content.alpha, shape)

    def _pass(self, backend: ImageBackend) -> loop.Run:
        """One pass of a feed-forward network over the content at its final size."""
        height, width = self.content.pixels.shape[:2]
        content = images.resize(self.content.pixels, images.fit(height, width, self.recipe.size))
        (region,) = regions.regions(self.inputs, self.recipe)
        made = backend.stylize(content, region.styles, blend=region.blend, style_scale=self.recipe.style_scale[0])
        return loop.Run(made)

    def task(self, start: Pixels | None = None) -> Problem:
        """What the engine is given; a `start` takes the place of the first image."""
        recipe, parts = self.recipe, regions.regions(self.inputs, self.recipe)
        optimizer = self._plugins.find("optimizer", recipe.optimizer)
        used = weighted_losses(recipe, self._plugins)
        backends = [self._backends.open(choice).backend for choice in self._choices]
        levels = zip(self.sizes, self.steps, backends, self.run_plan.tiles, strict=True)
        return Problem(
            levels=[Level(*level) for level in levels],
            content=self.content.pixels,
            regions=parts,
            start=self._first_image(parts) if start is None else start,
            style=[use for spec, use in used if spec.role == "style"],
            pointwise=[use for spec, use in used if spec.role != "style"],
            optimizer=self._plugins.load(optimizer),
            optimizer_options=read_options(optimizer, recipe.optimizer_options),
            protect=regions.protected(self.inputs),
            average=recipe.average,
            tile=self._tile(),
            carries=optimizer.carries,
            until=recipe.until,
            bleed=recipe.bleed,
        )

    def _tile(self) -> int | None:
        """The tiles the engine is to begin with; None where it must not cut the image at all."""
        if self.recipe.tile == "off" or not self.spec.architecture:
            return None
        return int(self.recipe.tile) if self.recipe.tile.isdigit() else 0

    @cached_property
    def run_plan(self) -> RunPlan:
        """What there is to know before the first step; opens the backends."""
        opened = {choice.name: self._backends.open(choice) for choice in self._choices}
        levels = [*zip(self.sizes, self.steps, self.weights_per_size(), strict=True)]
        pictures, masked = _shapes(self.inputs, self.recipe.style_scale), regions.masked(self.inputs)
        return plan_run(self.recipe, self._plugins, self.spec, pictures, levels, opened, masked)

    def estimate(self, resume: Snapshot | None = None) -> Estimate:
        """What the run will take, or what is left of it; the first call times evaluations of each network."""
        if self._estimate is None:
            self.open()
            left = self.run_plan.after(resume.level, resume.taken) if resume else self.run_plan
            task = partial(self.task, self.content.pixels)  # what a huge first image takes is no part of an estimate
            found = left.estimate(task, self._backends.seconds)
            self._estimate = replace(found, at_most=self.recipe.until > 0)
        return self._estimate

    def _first_image(self, parts: Sequence[Region]) -> Pixels:
        """What the coarsest size starts from: made at that size, so that noise is noise there."""
        height, width = self.content.pixels.shape[:2]
        shape = images.fit(height, width, self.sizes[0])
        if self._start is not None:
            return images.resize(self._start, shape)
        spec = self._plugins.find("initializer", self.recipe.init)
        rng = np.random.default_rng(self.recipe.seed)
        content, start = images.resize(self.content.pixels, shape), self._plugins.load(spec)
        options = read_options(spec, self.recipe.init_options)
        return regions.start(parts, content, lambda styles: start(content, styles, rng, **options))

    def _facts(self, backend: FeatureBackend | ImageBackend, seconds: float) -> dict[str, Any]:
        return {
            "backend": self.recipe.backend,
            "device": backend.device,
            "precision": backend.precision,
            "weights": ", ".join(dict.fromkeys(choice.name for choice in self.weight_choices)),
            "sizes": list(self.sizes),
            "steps": list(self.steps),
            "seconds": round(seconds, 3),
            "estimate": None if self._estimate is None else self._estimate.to_dict(),
            "peak_memory": backend.peak_memory() or peak_memory(),
            "versions": {name: version(name) for name in ("nst", "numpy", "pillow")},
        }


def _shapes(inputs: Inputs, scales: Sequence[float]) -> list[Sized]:
    """Content and works, in order, each style's works at its scale."""
    styles = inputs.every_style()
    sizes = zip(styles, each_scale(scales, len(styles)), strict=True)
    used = [(inputs.content, 1.0), *((work, scale) for style, scale in sizes for work in style.works)]
    return [
        Sized(picture.source or f"picture {i}", picture.pixels.shape[:2], scale)
        for i, (picture, scale) in enumerate(used, start=1)
    ]
