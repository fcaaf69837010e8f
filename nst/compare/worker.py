"""Run cells in this process, with one framework.

`python -m nst.compare.worker FOLDER/job.json…` saves in each FOLDER:

    job.json       the order: content, styles, recipe, probe (whether to check parity), max_pixels
    stage          the current stage and its progress: the last sign of a process that is killed
    facts.json     the results, written again after every stage; "finished" at the end
    picture.png    the finished picture
    features.npz gradient.npz adam.npz reference.npz      the numbers that `nst.compare.parity` compares

A stage that fails is recorded, and the other stages still run. The probe images go through the engine like any run,
with an optimizer that only evaluates. So the objective that is checked is the objective of a run.
"""

from __future__ import annotations

import faulthandler
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
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
from nst.io import atomic
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.plugins.host import Plugins
from nst.protocols import Array, Iterate, Objective
from nst.recipe.recipe import Recipe
from nst.vgg import architecture
from nst.vgg.network import Network
from nst.vgg.reference import ReferenceVGG

TICK = 0.5  # seconds between two words on how far the picture is


class Probe:
    """One worker's work, stage by stage."""

    def __init__(self, file: Path, loaded: dict[Any, Any]) -> None:
        self._folder = file.parent
        self._loaded = loaded
        self._order = json.loads(file.read_text("utf-8"))
        self._facts: dict[str, Any] = {"finished": False, "failures": {}}
        self._gradients: dict[str, Any] = {}
        self._parent = os.getppid()
        self._told = 0.0

    def run(self) -> None:
        """Every stage, in the order that leaves most behind when one of them ends the process."""
        if self._attempt("start", self._start):
            inside = self._order["probe"] and self._job.spec.kind == "feature"
            if inside and self._attempt("pinned images", self._pin):
                self._attempt("features", self._features)
                if self._attempt("gradient", self._gradient):
                    self._attempt("Adam steps", self._adam)
            self._attempt("picture", self._picture)
            if inside and isinstance(self._network, Network):
                self._attempt("reference", self._reference)
        self._facts["finished"] = not self._facts["failures"]
        self._save()

    def _attempt(self, name: str, stage: Callable[[], None]) -> bool:
        self._tell(name)
        try:
            stage()
        except (Exception, SystemExit) as error:  # a framework raises what it likes
            self._facts["failures"][name] = _reason(error)
        self._save()
        return name not in self._facts["failures"]

    def _tell(self, words: str) -> None:
        (self._folder / "stage").write_text(words, "utf-8")

    def _save(self) -> None:
        text = json.dumps(self._facts, indent=2)
        atomic.replace(self._folder / "facts.json", lambda file: file.write(text.encode()))

    def _keep(self, name: str, **arrays: Any) -> None:
        atomic.replace(self._folder / f"{name}.npz", lambda file: np.savez(file, **arrays))

    def _start(self) -> None:
        began = time.perf_counter()
        order, self._plugins = self._order, Plugins.from_environment()
        sources = Sources(order["content"], order["styles"], max_pixels=order["max_pixels"])
        self._job = Job(sources, Recipe(**order["recipe"]), self._plugins, loaded=self._loaded)
        self._network = self._job.weights.source.load()
        self._backend: Any = self._job.open()
        self._facts |= {
            "device": self._backend.device,
            "weights": self._job.weights.name,
            "identity": identify(self._job, self._network, self._backend.precision),
            "versions": _versions(self._job.spec.requires),
            "startup": round(time.perf_counter() - began, 3),
        }

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
        found: dict[str, probe_images.Floats] = {}
        for name, pixels in self._images.items():
            features = backend.features(backend.asarray(pixels), self._layers)
            found |= {f"{name}/{layer}": probe_images.sample(features[layer]) for layer in self._layers}
        return found

    def _gradient(self) -> None:
        terms: dict[str, Any] = {}

        def look(objective: Objective, image: Array, **_: Any) -> Iterator[Iterate]:
            for name, pixels in self._images.items():
                found = objective(pixels)
                terms[name], self._gradients[name] = dict(found.terms), np.asarray(found.gradient)
            return iter(())

        self._descend("content", look, {}, 1)
        self._facts["terms"] = terms
        self._keep("gradient", **self._gradients)

    def _adam(self) -> None:
        adam = self._plugins.load(self._plugins.find("optimizer", "adam"))
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
        task = replace(self._job.problem(), levels=[level], start=self._images[start])
        loop.optimize(replace(task, optimizer=optimizer, optimizer_options=options, bleed=0), *watch)

    def _picture(self) -> None:
        result = self._job.stylize(self._watch)
        images.write(self._folder / "picture.png", result.pixels, alpha=result.alpha)
        self._facts |= {**result.facts, "versions": result.facts["versions"] | self._facts["versions"]}
        self._facts |= {"stopped": result.stopped, "notes": result.notes, "history": result.history}

    def _watch(self, progress: Progress) -> None:
        if os.getppid() != self._parent:
            raise SystemExit("nobody is waiting for this any more")
        if (now := time.monotonic()) - self._told > TICK:
            self._told = now
            self._tell(f"picture, step {progress.step} of {progress.steps}")


def _reason(error: BaseException) -> str:
    """Return an error in one line, with its hint."""
    if isinstance(error, Mistakes):
        return "; ".join(map(_reason, error.errors))
    text = f"{error.message} ({error.hint})" if isinstance(error, NstError) else f"{type(error).__name__}: {error}"
    return " ".join(text.replace("()", "").split())


def _versions(modules: tuple[str, ...]) -> dict[str, str]:
    """Return the versions of the modules that the backend requires."""
    loaded = {name: sys.modules.get(name) for name in modules}
    found = {name: getattr(module, "__version__", "") for name, module in loaded.items()}
    return {name: str(version) for name, version in found.items() if version} | {"python": sys.version.split()[0]}


def main(files: Sequence[str]) -> None:
    """Carry out the orders in these files, in turn, with one backend for all that can share it."""
    parent, loaded = os.getppid(), dict[Any, Any]()
    for file in files:
        if os.getppid() == parent:
            Probe(Path(file), loaded).run()


if __name__ == "__main__":
    faulthandler.enable()  # a crash in a framework's own code leaves where it was in log.txt
    main(sys.argv[1:])
