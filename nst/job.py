"""A recipe and pictures made into objects, in the order that finds mistakes first and imports frameworks last."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.metadata import version
from typing import Any

import numpy as np

from nst import engine, images, weights
from nst.engine import OnIterate, Task
from nst.errors import Findings, NstError, UserError, raise_all
from nst.images import Picture
from nst.layers import IMAGE, shares
from nst.memory import peak_memory
from nst.mistakes import find_mistakes, is_file, size_mistakes
from nst.objective import LossUse
from nst.options import read_options
from nst.plugins import Plugins
from nst.protocols import FeatureBackend, ImageBackend, Pixels
from nst.recipe import Recipe
from nst.schedule import plan
from nst.specs import BackendSpec, Spec


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
    """One picture to be made. Construction checks everything and is cheap; `open` imports the framework."""

    def __init__(
        self,
        content: Any,
        styles: Sequence[Any],
        recipe: Recipe,
        plugins: Plugins | None = None,
        *,
        max_pixels: int | None = None,
        mistakes: Sequence[UserError] = (),
        chosen: Collection[str] = (),
    ) -> None:
        self.recipe = recipe
        self._plugins = plugins or Plugins.from_environment()
        found = Findings()
        found.add(*mistakes, *find_mistakes(recipe, self._plugins, len(styles), chosen))
        if not styles:
            found.add(UserError("no style picture", "give at least one"))
        pictures = [found.attempt(partial(images.read, source, max_pixels=max_pixels)) for source in [content, *styles]]
        self._start = found.attempt(lambda: images.read(recipe.init).pixels) if is_file(recipe.init) else None
        spec: BackendSpec | None = Findings().attempt(partial(self._plugins.find, "backend", recipe.backend))
        if None not in pictures and spec is not None and spec.kind == "feature":
            found.add(*size_mistakes(recipe, _shapes(pictures)))
        raise_all(found.errors)
        self.content: Picture = pictures[0]
        self.styles: list[Picture] = pictures[1:]
        self.spec: BackendSpec = self._plugins.find("backend", recipe.backend)
        self.weights = weights.choose(self.spec, recipe.weights)
        self.sizes, self.steps = self._plan()
        self._backend: Any = None

    def _plan(self) -> tuple[tuple[int, ...], tuple[int, ...]]:
        if self.spec.kind == "image":
            return (self.recipe.size,), (0,)
        return plan(self.recipe, *self.content.pixels.shape[:2])

    def open(self) -> FeatureBackend | ImageBackend:
        """The backend, built at the first call: the first heavy import."""
        if self._backend is None:
            network = self.weights.source.load()  # first: a bad file is found before the framework is imported
            recipe = self.recipe
            how = {"pooling": recipe.pooling, "precision": recipe.precision} if self.spec.kind == "feature" else {}
            options = read_options(self.spec, recipe.backend_options)
            self._backend = load(self.spec)(network, device=recipe.device, **how, **options)
        return self._backend  # type: ignore[no-any-return]

    def notes(self) -> list[str]:
        """What is worth saying before the first step."""
        pictures = [f"{picture.source}: {note}" for picture in (self.content, *self.styles) for note in picture.notes]
        return [*filter(None, [self.weights.note]), *self.open().notes, *pictures]

    def run(self, on_iterate: OnIterate | None = None) -> Result:
        """Make the picture. See `stylize`."""
        began = time.perf_counter()
        backend: Any = self.open()
        outcome = engine.run(self.task(backend), on_iterate) if self.spec.kind == "feature" else self._pass(backend)
        height, width = outcome.pixels.shape[:2]
        alpha = self.content.alpha
        return Result(
            pixels=outcome.pixels,
            alpha=None if alpha is None else images.resize(alpha, (height, width)),
            history=outcome.history,
            recipe=self.recipe,
            stopped=outcome.stopped,
            notes=[*self.notes(), *outcome.notes],
            facts=self._facts(backend, time.perf_counter() - began),
        )

    def _blend(self) -> list[float]:
        """The styles' shares, summing to 1."""
        blend = self.recipe.style_blend or (1.0,) * len(self.styles)
        return [share / sum(blend) for share in blend]

    def _pass(self, backend: ImageBackend) -> engine.Run:
        """One pass of a feed-forward network over the content at its final size."""
        height, width = self.content.pixels.shape[:2]
        content = images.resize(self.content.pixels, images.fit(height, width, self.recipe.size))
        styles = [picture.pixels for picture in self.styles]
        return engine.Run(backend.stylize(content, styles, blend=self._blend(), style_scale=self.recipe.style_scale))

    def task(self, backend: FeatureBackend) -> Task:
        """What the engine is given."""
        recipe, styles = self.recipe, [picture.pixels for picture in self.styles]
        optimizer = self._plugins.find("optimizer", recipe.optimizer)
        return Task(
            backend=backend,
            content=self.content.pixels,
            styles=styles,
            start=self._first_image(styles),
            style=self._use(recipe.style_loss, recipe.style_layers, recipe.style_weight),
            pointwise=[
                self._use(recipe.content_loss, recipe.content_layers, recipe.content_weight),
                self._use("nst:total-variation", {IMAGE: 1.0}, recipe.tv_weight),
                self._use("nst:range", {IMAGE: 1.0}, recipe.range_weight),
            ],
            optimizer=load(optimizer),
            optimizer_options=read_options(optimizer, recipe.optimizer_options),
            sizes=self.sizes,
            steps=self.steps,
            blend=self._blend(),
            style_scale=recipe.style_scale,
        )

    def _use(self, name: str, layers: Mapping[str, float], weight: float) -> LossUse:
        spec = self._plugins.find("loss", name)
        return LossUse(spec.name, load(spec)(), shares(layers), weight)

    def _first_image(self, styles: Sequence[Pixels]) -> Pixels:
        """What the coarsest size starts from: made at that size, so that noise is noise there."""
        height, width = self.content.pixels.shape[:2]
        shape = images.fit(height, width, self.sizes[0])
        if self._start is not None:
            return images.resize(self._start, shape)
        spec = self._plugins.find("initializer", self.recipe.init)
        rng = np.random.default_rng(self.recipe.seed)
        content = images.resize(self.content.pixels, shape)
        first: Pixels = load(spec)(content, styles, rng, **read_options(spec, self.recipe.init_options))
        return first

    def _facts(self, backend: FeatureBackend | ImageBackend, seconds: float) -> dict[str, Any]:
        return {
            "backend": self.recipe.backend,
            "device": backend.device,
            "precision": backend.precision,
            "weights": self.weights.name,
            "sizes": list(self.sizes),
            "steps": list(self.steps),
            "seconds": round(seconds, 3),
            "peak_memory": backend.peak_memory() or peak_memory(),
            "versions": {name: version(name) for name in ("nst", "numpy", "pillow")},
        }


def load(spec: Spec) -> Any:
    """A plugin's factory, its failure to import told as the plugin's own. Raises `NstError`."""
    try:
        return spec.load()
    except NstError:
        raise
    except (Exception, SystemExit) as error:
        raise NstError(
            f"'{spec.name}' ({spec.factory}) cannot be loaded: {type(error).__name__}: {error}",
            f"reinstall it: pip install --force-reinstall {spec.install or spec.factory.partition('.')[0]}",
        ) from error


def _shapes(pictures: Sequence[Picture]) -> list[tuple[str, tuple[int, int]]]:
    """Names and (height, width), in order."""
    named = ((picture.source or f"picture {i}", picture.pixels.shape) for i, picture in enumerate(pictures, start=1))
    return [(name, (shape[0], shape[1])) for name, shape in named]
