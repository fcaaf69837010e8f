"""A job: one image to stylize. `Job.__init__` and `Job.stylize` hold the sequence of a run.

The constructor reads the images, finds all mistakes, and plans sizes, steps and weights. `stylize` loads the networks,
optimizes the image size by size, and finishes its colors. `nst.persistence` adds checkpoints and the output file.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterator, MutableMapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

import numpy as np

from nst import images
from nst.engine import answers
from nst.engine.bleed import BleedCanvas
from nst.engine.level_run import OnIterate, Optimization
from nst.engine.loop import optimize
from nst.engine.problem import Level, Problem
from nst.engine.snapshot import Snapshot
from nst.engine.terms import Region
from nst.errors import Findings, UserError, raise_all
from nst.estimate.memory import peak_memory
from nst.estimate.model import Estimate
from nst.images import Picture, transparency
from nst.job import blame, effect, limits, regions
from nst.job.backends import BackendCache, Opened
from nst.job.inputs import Sources, read_inputs
from nst.job.losses import weighted_losses
from nst.job.plan import PlanRequest, RunPlan, plan_run
from nst.job.validation import Call, find_mistakes, is_file, size_mistakes
from nst.plugins.host import Plugin, Plugins
from nst.plugins.options import read_options
from nst.protocols import FeatureBackend, ImageBackend, Pixels
from nst.recipe.recipe import Recipe
from nst.recipe.schedule import per_size, plan_sizes
from nst.specs import BackendSpec, InitializerSpec, LossSpec, OptimizerSpec, Spec
from nst.weights import selection
from nst.weights.selection import Choice

KINDS: dict[type[Spec], str] = {
    BackendSpec: "backend",
    OptimizerSpec: "optimizer",
    InitializerSpec: "initializer",
    LossSpec: "loss",
}


@dataclass(frozen=True)
class Result:
    """The result of a run.

    `pixels` is `(H, W, 3)`, 0..1; `alpha` is `(H, W)`, 0..1, or None. `history` has one row per step (`step`, `size`,
    `loss`, `terms`, `seconds`). `stopped` is "finished", "interrupted" or "diverged". `notes` are messages of the run.
    `warnings` say what had no effect on the picture, such as a style of one color.
    `facts` are backend, device, weights, precision, sizes, steps, seconds, peak memory in bytes, and versions.
    """

    pixels: Pixels
    alpha: Pixels | None
    history: list[dict[str, Any]]
    recipe: Recipe
    stopped: str
    notes: list[str]
    facts: dict[str, Any]
    warnings: list[str] = field(default_factory=list)


class Job:
    """One image to stylize. The constructor imports no framework; `open` and `stylize` do.

    Jobs that share the mapping `loaded` share their backends. `chosen` names the recipe fields set by the user.
    `errors` are errors the caller has found; the constructor raises `UserError` with these and its own. `notes` are the
    caller's messages on the recipe, which `notes()` returns first.
    """

    def __init__(
        self,
        sources: Sources,
        recipe: Recipe,
        plugins: Plugins | None = None,
        *,
        errors: Sequence[UserError] = (),
        chosen: Collection[str] = (),
        loaded: MutableMapping[Any, Opened] | None = None,
        notes: Sequence[str] = (),
    ) -> None:
        self._recipe_notes = notes
        self._plugins = plugins or Plugins.from_environment()
        spec: BackendSpec | None = Findings().attempt(partial(self._plugins.find, "backend", recipe.backend))
        self.recipe = recipe = recipe if spec is None else recipe.on(spec)

        # Read and validate: all mistakes are reported together.
        findings = Findings()
        findings.add(*errors, *find_mistakes(recipe, self._plugins, _call(sources), chosen))
        inputs = read_inputs(sources, findings)
        self._start: Pixels | None = findings.attempt(partial(_read_start, recipe.init))
        if inputs is not None and spec is not None and spec.kind == "feature":
            findings.add(*size_mistakes(recipe, regions.image_shapes(inputs, recipe.style_scale), self._plugins, spec))
        raise_all(findings.errors)
        assert inputs is not None
        assert spec is not None
        self.inputs = inputs
        self.spec = spec

        # Plan sizes, steps and weights.
        one_pass = spec.kind == "image"
        height, width = self.content.pixels.shape[:2]
        self.sizes, self.steps = (
            ((recipe.size,), (0,)) if one_pass else plan_sizes(recipe, height, width, spec.select(recipe.layers()))
        )
        self.weight_choices = selection.choose_all(spec, recipe.weights, len(self.sizes))
        self._choices = per_size(self.weight_choices, len(self.sizes))
        self._backends = BackendCache(recipe, spec, self._plugins, loaded)
        self._estimate: Estimate | None = None

    @property
    def content(self) -> Picture:
        """The content image."""
        return self.inputs.content

    @property
    def weights(self) -> Choice:
        """The weights of the last size."""
        return self._choices[-1]

    def weights_per_size(self) -> list[str]:
        """Return the name of the weights at each size."""
        return [choice.name for choice in self._choices]

    def open(self) -> FeatureBackend | ImageBackend:
        """Return the backend of the last size; the first call imports the framework."""
        with self._blamed():
            return self._backends.open(self.weights).backend  # type: ignore[no-any-return]

    @property
    def matched(self) -> bool:
        """Whether a loss is matched on the image that a size starts from."""
        losses = (loss for loss in self.recipe.all_losses() if loss.weight)
        return any(self._plugins.find("loss", loss.name).shape == "matched" for loss in losses)

    def notes(self) -> list[str]:
        """Return the messages to show before the first step: on weights, backend, images and memory."""
        weights = [note for note in dict.fromkeys(choice.note for choice in self._choices) if note]
        pictures = (self.content, *self.inputs.style_images())
        image_notes = [f"{picture.source}: {note}" for picture in pictures for note in picture.notes]
        return [*self._recipe_notes, *weights, *self.open().notes, *image_notes, *self.run_plan.notes]

    def shapes(self) -> list[tuple[int, int]]:
        """Return (height, width) of the image at each size."""
        height, width = self.content.pixels.shape[:2]
        return [images.fit(height, width, size) for size in self.sizes]

    def canvases(self) -> list[tuple[int, int]]:
        """Return (height, width) of the optimized image at each size, including the bleed."""
        return [BleedCanvas.around(shape, self.recipe.bleed).shape for shape in self.shapes()]

    def weight_hashes(self) -> dict[str, str]:
        """Return the SHA-256 of all weights in use, by name, "" for none; builds the backends."""
        return {choice.name: self._backends.open(choice).digest for choice in self._choices}

    def used(self) -> Iterator[tuple[Plugin, Spec]]:
        """Yield the specs of the run, each with its plugin."""
        names = [("backend", self.recipe.backend)]
        if self.spec.kind == "feature":
            names += [("optimizer", self.recipe.optimizer), *(("loss", loss.name) for loss in self.recipe.all_losses())]
            names += [("initializer", self.recipe.init)] if self._start is None else []
        specs = [self._plugins.find(*name) for name in names]
        for kind in dict.fromkeys(kind for kind, _ in names):
            yield from ((plugin, spec) for plugin, spec in self._plugins.offered(kind) if spec in specs)

    def stylize(self, on_iterate: OnIterate | None = None, resume: Snapshot | None = None) -> Result:
        """Stylize the content, from the start or from a snapshot. See `nst.stylize` and `nst.engine.optimize`."""
        began = time.perf_counter()
        backend: Any = self.open()
        with self._blamed():
            limits.require_memory(self.run_plan)
            optimization = self._optimized(backend, on_iterate, resume)
        pixels = self.finished(optimization.pixels)
        return Result(
            pixels=pixels,
            alpha=self.alpha(pixels.shape[:2]),
            history=optimization.history,
            recipe=self.recipe,
            stopped=optimization.stopped,
            notes=[*self.notes(), *optimization.notes],
            facts=self._facts(backend, time.perf_counter() - began),
            warnings=effect.find_warnings(self.inputs, self.recipe, pixels, optimization.history),
        )

    def _optimized(self, backend: Any, on_iterate: OnIterate | None, resume: Snapshot | None) -> Optimization:
        if self.spec.kind == "image":
            return Optimization(self._one_pass(backend))
        optimization = optimize(self.problem(), on_iterate, resume)
        if any(self.steps) and not optimization.history:
            effect.require_steps(self.recipe, self.inputs, self.shapes()[-1])
        return optimization

    def _blamed(self) -> AbstractContextManager[None]:
        """Return a context in which a failure of a plugin is raised with the plugin's distribution and version."""
        return blame.blamed(self.used, lambda spec: KINDS[type(spec)])

    def finished(self, pixels: Pixels) -> Pixels:
        """Return the image with the recipe's colors, and with the content outside all regions."""
        return regions.finished(self.inputs, self.recipe, pixels)

    def alpha(self, shape: tuple[int, int]) -> Pixels | None:
        """Return the content's alpha resized to (height, width), or None for an opaque content."""
        return None if self.content.alpha is None else images.resize(self.content.alpha, shape)

    def _one_pass(self, backend: ImageBackend) -> Pixels:
        """Return the content at the final size, stylized by a feed-forward network."""
        height, width = self.content.pixels.shape[:2]
        content = images.resize(self.content.pixels, images.fit(height, width, self.recipe.size))
        (region,) = regions.regions(self.inputs, self.recipe)
        scale = self.recipe.style_scale[0]
        return answers.pixels(backend.stylize(content, region.styles, blend=region.blend, style_scale=scale), "backend")

    def problem(self, start: Pixels | None = None) -> Problem:
        """Return the input of the engine; `start` replaces the recipe's initial image."""
        recipe, parts = self.recipe, regions.regions(self.inputs, self.recipe)
        optimizer = self._plugins.find("optimizer", recipe.optimizer)
        losses = weighted_losses(recipe, self._plugins)
        backends = [self._backends.open(choice).backend for choice in self._choices]
        levels = zip(self.sizes, self.steps, backends, self.run_plan.tiles, strict=True)
        return Problem(
            levels=[Level(*level) for level in levels],
            content=self.content.pixels,
            regions=parts,
            start=self._initial_image(parts) if start is None else start,
            style=[loss for spec, loss in losses if spec.role == "style"],
            pointwise=[loss for spec, loss in losses if spec.role != "style"],
            optimizer=self._plugins.load(optimizer),
            optimizer_options=read_options(optimizer, recipe.optimizer_options),
            protect=regions.protected(self.inputs),
            average=recipe.average,
            tile=self._tile(),
            carries=optimizer.carries,
            until=recipe.until,
            bleed=recipe.bleed,
            alpha=self.content.alpha,
        )

    def _tile(self) -> int | None:
        """Return the tile size to begin with, 0 to choose by memory, or None without tiles."""
        if self.recipe.tile == "off":
            return None
        return int(self.recipe.tile) if self.recipe.tile.isdigit() else 0

    @cached_property
    def run_plan(self) -> RunPlan:
        """The levels with tile sizes, and the time and memory model; opens the backends."""
        request = PlanRequest(
            recipe=self.recipe,
            plugins=self._plugins,
            spec=self.spec,
            images=regions.image_shapes(self.inputs, self.recipe.style_scale),
            levels=[*zip(self.sizes, self.steps, self.weights_per_size(), strict=True)],
            opened={choice.name: self._backends.open(choice) for choice in self._choices},
            masked=regions.masked(self.inputs),
        )
        return plan_run(request)

    def estimate(self, resume: Snapshot | None = None) -> Estimate:
        """Estimate time and memory of the run, or of the rest after `resume`; the first call times each network."""
        if self._estimate is None:
            self.open()
            remaining = self.run_plan.after(resume.level, resume.taken) if resume else self.run_plan
            problem = partial(self.problem, self.content.pixels)  # without the time of the initial image
            estimate = remaining.estimate(problem, self._backends.seconds)
            self._estimate = replace(estimate, at_most=self.recipe.until > 0)
        return self._estimate

    def _initial_image(self, parts: Sequence[Region]) -> Pixels:
        """Return the initial image at the first size, so that noise has the grain of that size."""
        height, width = self.content.pixels.shape[:2]
        shape = images.fit(height, width, self.sizes[0])
        if self._start is not None:
            return images.resize(self._start, shape)
        spec = self._plugins.find("initializer", self.recipe.init)
        rng = np.random.default_rng(self.recipe.seed)
        content, start = images.resize(self.content.pixels, shape), self._plugins.load(spec)
        alpha = self.alpha(shape)
        options = read_options(spec, self.recipe.init_options)
        seen = content if alpha is None else transparency.repeated(content, alpha)
        image = regions.start(
            parts,
            content,
            lambda styles: answers.pixels(start(seen, styles, rng, **options), "initializer", content.shape),
        )
        return image if alpha is None else transparency.fill(image, alpha)

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


def _read_start(init: str) -> Pixels | None:
    """Return the picture that a run starts from, or None where `init` names an initializer. Raises `UserError`."""
    return transparency.filled(images.read(init)).pixels if is_file(init) else None


def _call(sources: Sources) -> Call:
    masked_styles = sum(len(styles) for _, styles in sources.masks)
    return Call(len(sources.styles), masked_styles, bool(sources.masks) or sources.protect is not None)
