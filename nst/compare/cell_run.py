"""Run a cell of a comparison in a worker process: its parity check and its picture.

The order's output is a folder. It receives:

    facts.json     the results, written again after every stage; "finished" at the end
    picture.png    the finished picture
    features.npz gradient.npz adam.npz reference.npz      the numbers that `nst.compare.parity` compares

A stage that fails is recorded, and the other stages still run. The probe images go through the engine like any run,
with an optimizer that only evaluates. So the objective that is checked is the objective of a run.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from nst import images
from nst.compare import probe_images
from nst.compare.network_identity import identify
from nst.engine import loop
from nst.engine.level_run import Progress
from nst.engine.problem import Level
from nst.errors import Mistakes, NstError
from nst.estimate.memory import reset_peak_memory
from nst.io import atomic
from nst.job.job import Job
from nst.orders import Done, Order, Outcome, Stage
from nst.protocols import Array, Iterate, Objective
from nst.vgg import architecture
from nst.vgg.network import Network
from nst.vgg.reference import ReferenceVGG
from nst.worker.painter import Painter, Stopped, Tell, parse_order

TICK = 0.5  # seconds between two progress messages of a picture


def paint(painter: Painter, order: Order, tell: Tell, stopped: Stopped) -> Outcome:
    """Stylize the picture of a cell."""
    return CellRun(painter, order, tell).run(probe=False)


def probe(painter: Painter, order: Order, tell: Tell, stopped: Stopped) -> Outcome:
    """Compute the numbers of a cell's parity check, and stylize its picture."""
    return CellRun(painter, order, tell).run(probe=True)


class CellRun:
    """The stages of one cell. A failure is recorded in the facts, and is not raised."""

    def __init__(self, painter: Painter, order: Order, tell: Tell) -> None:
        self._painter, self._order, self._send = painter, order, tell
        self._folder = Path(order.output)
        self._facts: dict[str, Any] = {"finished": False, "failures": {}}
        self._gradients: dict[str, Any] = {}
        self._last_tick = 0.0

    def run(self, probe: bool) -> Outcome:
        """Run every stage. The order leaves most results if a stage ends the process."""
        reset_peak_memory()
        if self._attempt("start", self._start):
            probe = probe and self._job.spec.kind == "feature"
            if probe and self._attempt("pinned images", self._pin):
                self._attempt("features", self._features)
                if self._attempt("gradient", self._gradient):
                    self._attempt("Adam steps", self._adam)
            self._attempt("picture", self._picture)
            if probe and isinstance(self._network, Network):
                self._attempt("reference", self._reference)
        self._facts["finished"] = not self._facts["failures"]
        self._save()
        return Done(self._order.output, "finished")

    def _attempt(self, name: str, stage: Callable[[], None]) -> bool:
        self._tell(name)
        try:
            stage()
        except (Exception, SystemExit) as error:  # a framework may raise anything
            self._facts["failures"][name] = _reason(error)
        self._save()
        return name not in self._facts["failures"]

    def _tell(self, stage: str) -> None:
        self._send(Stage(stage))

    def _save(self) -> None:
        text = json.dumps(self._facts, indent=2)
        atomic.replace(self._folder / "facts.json", lambda file: file.write(text.encode()))

    def _keep(self, name: str, **arrays: Any) -> None:
        atomic.replace(self._folder / f"{name}.npz", lambda file: np.savez(file, **arrays))

    def _start(self) -> None:
        began = time.perf_counter()
        self._job = self._painter.job(self._order, parse_order(self._order))
        self._network, identity = self._identified()
        self._backend: Any = self._job.open()
        self._facts |= {
            "device": self._backend.device,
            "weights": self._job.weights.name,
            "identity": identity,
            "versions": _versions(self._job),
            "startup": round(time.perf_counter() - began, 3),
        }

    def _identified(self) -> tuple[Any, dict[str, str]]:
        """Return the network of the last size and its identity, computed once for all cells with this network."""
        choice, networks = self._job.weights, self._painter.networks
        key = choice.name, choice.stamp()
        if key not in networks:
            network = choice.load()
            networks[key] = network, identify(self._job, network, self._job.open().precision)
        return networks[key]  # type: ignore[no-any-return]

    def _pin(self) -> None:
        content, layers = self._job.content.pixels, self._job.recipe.layers()
        self._size = probe_images.long_side(content, layers, self._job.sizes[-1])
        self._images = probe_images.images(content, self._size)
        offered = self._job.spec.layer_names
        if isinstance(self._network, Network):
            offered = architecture.layer_names(self._network.architecture, self._network.kernels)
        self._layers = probe_images.layers(layers, offered, self._images["content"].shape)
        self._facts["pinned"] = {"size": self._size, "layers": self._layers}

    def _features(self) -> None:
        self._keep("features", **self._sampled(self._backend))

    def _reference(self) -> None:
        """Compute the same features in NumPy in float64, to tell which of two different backends is right."""
        recipe, padding = self._job.recipe, self._job.spec.pads(self._job.recipe.padding) or "zero"
        self._keep("reference", **self._sampled(ReferenceVGG(self._network, pooling=recipe.pooling, padding=padding)))

    def _sampled(self, backend: Any) -> dict[str, probe_images.Floats]:
        samples: dict[str, probe_images.Floats] = {}
        for name, pixels in self._images.items():
            features = backend.features(backend.asarray(pixels), self._layers)
            samples |= {f"{name}/{layer}": probe_images.sample(features[layer]) for layer in self._layers}
        return samples

    def _gradient(self) -> None:
        terms: dict[str, Any] = {}

        def evaluate(objective: Objective, image: Array, **_: Any) -> Iterator[Iterate]:
            for name, pixels in self._images.items():
                evaluation = objective(pixels)
                terms[name], self._gradients[name] = dict(evaluation.terms), np.asarray(evaluation.gradient)
            return iter(())

        self._descend("content", evaluate, {}, 1)
        self._facts["terms"] = terms
        self._keep("gradient", **self._gradients)

    def _adam(self) -> None:
        plugins = self._painter.plugins
        adam = plugins.load(plugins.find("optimizer", "adam"))
        options = probe_images.adam_options(self._gradients)
        shown: dict[str, Any] = {}

        def keep(progress: Progress) -> None:
            if progress.step in probe_images.ADAM_SHOWN:
                shown[f"step {progress.step}"] = progress.pixels()

        self._descend("half-way", adam, options, probe_images.ADAM_STEPS, keep)
        self._keep("adam", **shown)

    def _descend(self, start: str, optimizer: Any, options: dict[str, Any], steps: int, *watch: Any) -> None:
        """Run the job's own problem at the probe size, from a probe image, with another optimizer."""
        level = Level(self._size, steps, self._backend)
        problem = replace(self._job.problem(), levels=[level], start=self._images[start])
        loop.optimize(replace(problem, optimizer=optimizer, optimizer_options=options, bleed=0), *watch)

    def _picture(self) -> None:
        result = self._job.stylize(self._watch)
        images.write(self._folder / "picture.png", result.pixels, alpha=result.alpha)
        self._facts |= {**result.facts, "versions": result.facts["versions"] | self._facts["versions"]}
        self._facts |= {
            "stopped": result.stopped,
            "notes": [*result.warnings, *result.notes],
            "history": result.history,
        }

    def _watch(self, progress: Progress) -> None:
        if (now := time.monotonic()) - self._last_tick > TICK:
            self._last_tick = now
            self._tell(f"picture, step {progress.step} of {progress.steps}")


def _reason(error: BaseException) -> str:
    """Return an error in one line, with its hint."""
    if isinstance(error, Mistakes):
        return "; ".join(map(_reason, error.errors))
    text = f"{error.message} ({error.hint})" if isinstance(error, NstError) else f"{type(error).__name__}: {error}"
    return " ".join(text.replace("()", "").split())


def _versions(job: Job) -> dict[str, str]:
    """Return the versions of the modules that the backend requires, of the plugins in use, and of Python."""
    others = {plugin.distribution: plugin.entry.version for plugin, _ in job.used()}
    others["python"] = sys.version.split()[0]
    loaded = {name: sys.modules.get(name) for name in job.spec.requires}
    versions = {name: getattr(module, "__version__", "") for name, module in loaded.items()}
    return {name: str(version) for name, version in versions.items() if version} | others
