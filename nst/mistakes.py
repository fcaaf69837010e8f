"""Finds every mistake in a recipe at once, from specs and file headers alone: before any framework is imported."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib.util import find_spec
from pathlib import Path

from nst import layers, weights
from nst.architectures import smallest_side
from nst.errors import Findings, UserError, unknown
from nst.images import fit
from nst.options import read_options
from nst.plugins import Plugins
from nst.recipe import FIELDS, Recipe, flag
from nst.schedule import plan
from nst.specs import BackendSpec, LossSpec, OptionValue, Spec

SHAPES = {"style": "statistic", "content": "pointwise"}
"""The shape of loss the engine can put to each use."""


ONE_PASS = ("backend", "weights", "device", "backend_options", "size", "style_blend", "style_scale")
"""The recipe fields that mean something to an image backend."""


def find_mistakes(recipe: Recipe, plugins: Plugins, styles: int, chosen: Collection[str] = ()) -> list[UserError]:
    """What is wrong with a recipe, for a picture with so many styles; an empty list when it can run.

    `chosen` names the fields a person set, which must mean something even where they equal the default.
    """
    found = Findings()
    backend: BackendSpec | None = found.attempt(lambda: plugins.find("backend", recipe.backend))
    if backend is not None:
        found.add(*_backend_mistakes(recipe, backend))
    if backend is not None and backend.kind == "image":
        found.add(*_inapplicable(recipe, backend, chosen), *_blend_mistakes(recipe, styles))
    else:
        found.add(*_descent_mistakes(recipe, plugins), *_blend_mistakes(recipe, styles), *_number_mistakes(recipe))
    return found.errors


def _inapplicable(recipe: Recipe, spec: BackendSpec, chosen: Collection[str]) -> Iterable[UserError]:
    """Choices that mean nothing to a network that paints in one pass."""
    usual, takes = Recipe(), ", ".join(map(flag, ONE_PASS))
    for name in FIELDS:
        if name not in ONE_PASS and (name in chosen or getattr(recipe, name) != getattr(usual, name)):
            yield UserError(
                f"{flag(name)} means nothing to '{spec.name}', which paints in one pass", f"it takes {takes}"
            )


def _descent_mistakes(recipe: Recipe, plugins: Plugins) -> list[UserError]:
    """What is wrong with the names and options of an optimization's parts."""
    found = Findings()
    for role, name in (("style", recipe.style_loss), ("content", recipe.content_loss)):
        loss = found.attempt(partial(plugins.find, "loss", name))
        found.add(*_loss_mistakes(loss, role))
    for kind, name, options in (
        ("optimizer", recipe.optimizer, recipe.optimizer_options),
        ("initializer", recipe.init, recipe.init_options),
    ):
        found.add(*_named_mistakes(plugins, kind, name, options))
    return found.errors


def _backend_mistakes(recipe: Recipe, spec: BackendSpec) -> Iterable[UserError]:
    found = Findings()
    found.add(missing_modules(spec))
    if recipe.device not in spec.devices:
        found.add(unknown("device", recipe.device, spec.devices))
    found.attempt(lambda: read_options(spec, recipe.backend_options))
    if spec.kind == "feature":
        found.add(*_network_mistakes(recipe, spec))
    elif (choice := found.attempt(lambda: weights.choose(spec, recipe.weights))) is not None:
        found.attempt(choice.source.verify)
    return found.errors


def _network_mistakes(recipe: Recipe, spec: BackendSpec) -> Iterable[UserError]:
    """Precision, pooling, layers, and whether the weights have them."""
    found = Findings()
    if recipe.precision not in ("auto", *spec.precisions):
        found.add(unknown("precision", recipe.precision, ("auto", *spec.precisions)))
    if recipe.pooling not in spec.pooling:
        found.add(unknown("pooling", recipe.pooling, spec.pooling))
    known = [name for name in recipe.layers() if name in spec.layers]
    choice = found.attempt(lambda: weights.choose(spec, recipe.weights))
    if choice is not None:
        found.add(*weights.check(spec, choice, known))
    for option, selection in recipe.selections().items():
        found.add(*layers.check(option, selection, spec.layers))
    return found.errors


def _loss_mistakes(spec: LossSpec | None, role: str) -> Iterable[UserError]:
    if spec is None:
        return
    if (error := missing_modules(spec)) is not None:
        yield error
    found, wanted = (spec.role, role) if spec.role != role else (spec.shape, SHAPES[role])
    if found != wanted:
        hint = f"it is declared {found}; --{role}-loss takes a {wanted} loss"
        yield UserError(f"'{spec.name}' is no {wanted} loss", hint)


def _named_mistakes(plugins: Plugins, kind: str, name: str, options: Mapping[str, OptionValue]) -> list[UserError]:
    if kind == "initializer" and is_file(name):
        return [UserError(f"--init-option does not go with a picture ('{name}')", "leave it out")] if options else []
    found = Findings()
    spec = found.attempt(lambda: plugins.find(kind, name))
    if spec is not None:
        found.add(missing_modules(spec))
        found.attempt(lambda: read_options(spec, options))
    return found.errors


def is_file(name: str) -> bool:
    """Whether `--init NAME` means a picture and not an initializer."""
    return bool(Path(name).suffix) or "/" in name or os.path.isfile(name)


def missing_modules(spec: Spec) -> UserError | None:
    """The error for a spec whose required modules are not installed."""
    missing = [module for module in spec.requires if find_spec(module.partition(".")[0]) is None]
    if not missing:
        return None
    return UserError(f"'{spec.name}' needs {' and '.join(missing)}", f"pip install {spec.install or ' '.join(missing)}")


def _blend_mistakes(recipe: Recipe, styles: int) -> Iterable[UserError]:
    if recipe.style_blend and len(recipe.style_blend) != styles:
        yield UserError(f"--style-blend has {len(recipe.style_blend)} weights for {styles} styles", "give one each")


def _number_mistakes(recipe: Recipe) -> Iterable[UserError]:
    if not (recipe.content_weight or recipe.style_weight or recipe.tv_weight):
        yield UserError("every weight is 0", "set --content-weight or --style-weight above 0")
    if recipe.sizes and len(recipe.steps) not in (0, 1, len(recipe.sizes)):
        hint = "give one number in all, or one for each of --sizes"
        yield UserError(f"--steps has {len(recipe.steps)} numbers for {len(recipe.sizes)} sizes", hint)
    if recipe.sizes and list(recipe.sizes) != sorted(recipe.sizes):
        yield UserError("--sizes must grow", f"{','.join(map(str, sorted(recipe.sizes)))}")
    if not recipe.sizes and len(recipe.steps) > 1:
        yield UserError("--steps has several numbers without --sizes", "give --sizes too, or one number in all")


def size_mistakes(recipe: Recipe, shapes: Sequence[tuple[str, tuple[int, int]]]) -> Iterable[UserError]:
    """Pictures too thin for the deepest layer in use; `shapes` are names and (height, width), the content's first."""
    (content, shape), *styles = shapes
    coarsest = plan(recipe, *shape)[0][0]
    need = smallest_side(recipe.layers())
    yield from _too_small(content, shape, coarsest, need, f"use a size of at least {_least(shape, need)}")
    need = smallest_side(recipe.selections().get("--style-layers", ()))
    for name, shape in styles:
        scale = math.ceil(100 * _least(shape, need) / coarsest) / 100
        enlarged = f"use a --style-scale of at least {scale:g}, a less narrow style"
        advice = f"give a style of at least {need} pixels each way" if min(shape) < need else enlarged
        yield from _too_small(name, shape, min(coarsest * recipe.style_scale, max(shape)), need, advice)


def _least(shape: tuple[int, int], need: int) -> int:
    """The long side in pixels at which the short one of a picture of this shape has `need`."""
    return -(-need * max(shape) // min(shape))


def _too_small(name: str, shape: tuple[int, int], long_side: float, need: int, advice: str) -> Iterable[UserError]:
    small = fit(*shape, round(long_side))
    if min(small) >= need:
        return
    yield UserError(
        f"'{name}' ({shape[1]}×{shape[0]}) would be {small[1]}×{small[0]} pixels; the layers chosen need {need}",
        f"{advice}, or shallower layers",
    )
