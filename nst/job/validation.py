"""Find every mistake in a recipe, from specs and file headers alone, before any framework is imported."""

from __future__ import annotations

import math
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst.errors import Findings, UserError, unknown
from nst.geometry import shortest_side, smallest_size
from nst.images import color_transfer, fit
from nst.plugins.host import Plugins
from nst.plugins.options import missing_modules, read_options
from nst.recipe.fields import ExtraLoss
from nst.recipe.recipe import FIELDS, Recipe, flag
from nst.recipe.schedule import plan_sizes
from nst.specs import SHAPES, BackendSpec, LossSpec, OptionValue
from nst.vgg import layers
from nst.weights import selection

ONE_PASS = ("backend", "weights", "device", "backend_options", "size", "style_blend", "style_scale", "color")
"""The recipe fields that apply to a one-pass backend."""

MAX_BLEED = 256
"""The largest bleed in pixels; no network needs a wider border."""


@dataclass(frozen=True)
class Call:
    """The arguments of a job beside its recipe: numbers of unmasked and masked styles, and whether it has masks."""

    styles: int = 1
    masked_styles: int = 0
    masks: bool = False


@dataclass(frozen=True)
class Sized:
    """An image's name, (height, width), and its size relative to the result."""

    name: str
    shape: tuple[int, int]
    scale: float = 1.0


def find_mistakes(recipe: Recipe, plugins: Plugins, call: Call, chosen: Collection[str] = ()) -> list[UserError]:
    """Return the errors in a recipe for a job with these arguments, an empty list for none.

    `chosen` names the fields set by the user; for a one-pass backend these are checked even if equal to the default.
    """
    findings = Findings()
    backend: BackendSpec | None = findings.attempt(lambda: plugins.find("backend", recipe.backend))
    if backend is not None:
        findings.add(*_backend_mistakes(recipe, backend))
    findings.add(color_transfer.check(recipe.color))
    if backend is not None and backend.kind == "image":
        findings.add(*_inapplicable(recipe, backend, chosen), *_one_pass_mistakes(recipe, backend, call))
        findings.add(*_style_mistakes(recipe, call))
    else:
        findings.add(
            *_descent_mistakes(recipe, plugins, call), *_style_mistakes(recipe, call), *_number_mistakes(recipe)
        )
    return findings.errors


def _inapplicable(recipe: Recipe, spec: BackendSpec, chosen: Collection[str]) -> Iterable[UserError]:
    """Yield an error for each chosen field that does not apply to a one-pass backend."""
    defaults, takes = Recipe(), ", ".join(map(flag, ONE_PASS))
    for name in FIELDS:
        if name not in ONE_PASS and (name in chosen or getattr(recipe, name) != getattr(defaults, name)):
            yield UserError(
                f"{flag(name)} means nothing to '{spec.name}', which stylizes in one pass", f"it takes {takes}"
            )


def _descent_mistakes(recipe: Recipe, plugins: Plugins, call: Call) -> list[UserError]:
    """Return the errors in losses, optimizer and initializer, and in their options."""
    findings = Findings()
    for role, loss in zip(("style", "content"), recipe.all_losses(), strict=False):
        findings.add(*_loss_mistakes(recipe, plugins, call, loss, role))
    for loss in recipe.losses:
        findings.add(*_loss_mistakes(recipe, plugins, call, loss))
    for kind, name, options in (
        ("optimizer", recipe.optimizer, recipe.optimizer_options),
        ("initializer", recipe.init, recipe.init_options),
    ):
        findings.add(*_named_mistakes(plugins, kind, name, options))
    return findings.errors


def _backend_mistakes(recipe: Recipe, spec: BackendSpec) -> Iterable[UserError]:
    findings = Findings()
    findings.add(missing_modules(spec))
    if recipe.device not in spec.devices:
        findings.add(unknown("device", recipe.device, spec.devices))
    findings.attempt(lambda: read_options(spec, recipe.backend_options))
    if spec.kind == "feature":
        findings.add(*_network_mistakes(recipe, spec))
    elif (choice := findings.attempt(lambda: selection.choose_weights(spec, recipe.weights[-1]))) is not None:
        findings.attempt(choice.source.verify)
    return findings.errors


def _network_mistakes(recipe: Recipe, spec: BackendSpec) -> Iterable[UserError]:
    """Return the errors in precision, pooling, padding and layers, and layers missing in the weights."""
    findings = Findings()
    if recipe.precision not in ("auto", *spec.precisions):
        findings.add(unknown("precision", recipe.precision, ("auto", *spec.precisions)))
    if recipe.pooling not in spec.pooling:
        findings.add(unknown("pooling", recipe.pooling, spec.pooling))
    findings.add(_padding_mistake(recipe.padding, spec))
    known = [name for name in recipe.layers() if name in spec.layer_names]
    for name in dict.fromkeys(recipe.weights):
        choice = findings.attempt(partial(selection.choose_weights, spec, name))
        if choice is not None:
            findings.add(*selection.check(spec, choice, known))
    for option, selection_of_layers in recipe.selections().items():
        findings.add(*layers.check(option, selection_of_layers, spec.layer_names))
    return findings.errors


def _padding_mistake(padding: str, spec: BackendSpec) -> UserError | None:
    if padding in ("auto", *spec.padding):
        return None
    if not spec.padding:
        return UserError(f"'{spec.name}' offers no choice of padding", "leave out --padding, or choose another backend")
    return unknown("padding", padding, ("auto", *spec.padding))


def _loss_mistakes(recipe: Recipe, plugins: Plugins, call: Call, loss: ExtraLoss, role: str = "") -> list[UserError]:
    """Return the errors in a loss, which must have the given `role`, if any."""
    findings = Findings()
    spec: LossSpec | None = findings.attempt(lambda: plugins.find("loss", loss.name))
    if spec is None:
        return findings.errors
    findings.add(missing_modules(spec))
    findings.attempt(lambda: read_options(spec, loss.options))
    if role and spec.role != role:
        hint = f"it is declared {spec.role}; --{role}-loss takes a {role} loss"
        findings.add(UserError(f"'{spec.name}' is not a {role} loss", hint))
    elif spec.shape not in SHAPES[spec.role]:
        hint = f"it is declared {spec.shape}; one for {spec.role} must be {' or '.join(SHAPES[spec.role])}"
        findings.add(UserError(f"'{spec.name}' has a shape that its role cannot have", hint))
    if spec.shape == "whole" and recipe.tile.isdigit():
        findings.add(UserError(f"'{spec.name}' cannot be computed in tiles", "choose another loss, or --tile off"))
    if spec.shape == "whole" and call.masks:
        findings.add(
            UserError(f"'{spec.name}' does not work with masks", "choose another loss, or leave the masks out")
        )
    return findings.errors


def _named_mistakes(plugins: Plugins, kind: str, name: str, options: Mapping[str, OptionValue]) -> list[UserError]:
    if kind == "initializer" and is_file(name):
        return [UserError(f"--init-option does not go with a picture ('{name}')", "leave it out")] if options else []
    findings = Findings()
    spec = findings.attempt(lambda: plugins.find(kind, name))
    if spec is not None:
        findings.add(missing_modules(spec))
        findings.attempt(lambda: read_options(spec, options))
    return findings.errors


def is_file(name: str) -> bool:
    """Check whether `--init NAME` names an image file and not an initializer."""
    return bool(Path(name).suffix) or "/" in name or os.path.isfile(name)


def _style_mistakes(recipe: Recipe, call: Call) -> Iterable[UserError]:
    if not call.styles + call.masked_styles:
        yield UserError(
            "there is no style picture", "give one or more after the content: nst stylize CONTENT STYLE -o OUTPUT"
        )
    if recipe.style_blend and len(recipe.style_blend) != call.styles:
        yield UserError(
            f"--style-blend has {len(recipe.style_blend)} weights for {call.styles} styles", "give one each"
        )
    scales, styles = len(recipe.style_scale), call.styles + call.masked_styles
    if scales not in (1, styles):
        yield UserError(f"--style-scale has {scales} factors for {styles} styles", "give one, or one each")


def each_scale(scales: Sequence[float], styles: int) -> list[float]:
    """Return one scale for each style; a wrong number of scales, reported elsewhere, gives 1 for each."""
    return list(scales) if len(scales) == styles else [scales[0] if len(scales) == 1 else 1.0] * styles


def _one_pass_mistakes(recipe: Recipe, spec: BackendSpec, call: Call) -> Iterable[UserError]:
    if call.masks:
        yield UserError(f"'{spec.name}' stylizes the whole image in one pass", "leave out --mask and --protect")
    if len(recipe.weights) > 1:
        yield UserError(f"--weights names {len(recipe.weights)} for one pass", "name one")
    if len(recipe.style_scale) > 1:
        yield UserError(f"--style-scale has {len(recipe.style_scale)} factors for one pass", "give one")


def _number_mistakes(recipe: Recipe) -> Iterable[UserError]:
    if not any(loss.weight for loss in recipe.all_losses() if loss.name != "nst:range"):
        yield UserError("every weight is 0", "set --content-weight or --style-weight above 0")
    if recipe.bleed > MAX_BLEED:
        yield UserError(f"--bleed must be at most {MAX_BLEED} pixels, not {recipe.bleed}", "8 to 16 are enough")
    if recipe.sizes and len(recipe.steps) not in (0, 1, len(recipe.sizes)):
        hint = "give one number in all, or one for each of --sizes"
        yield UserError(f"--steps has {len(recipe.steps)} numbers for {len(recipe.sizes)} sizes", hint)
    if recipe.sizes and list(recipe.sizes) != sorted(recipe.sizes):
        yield UserError("--sizes must grow", f"{','.join(map(str, sorted(recipe.sizes)))}")
    if not recipe.sizes and len(recipe.steps) > 1:
        yield UserError("--steps has several numbers without --sizes", "give --sizes too, or one number in all")


def size_mistakes(
    recipe: Recipe, pictures: Sequence[Sized], plugins: Plugins, spec: BackendSpec
) -> Iterable[UserError]:
    """Yield an error for each image too small for the deepest layer of its losses, the content first."""
    content, *styles = pictures
    used = spec.select(recipe.layers())
    sizes = plan_sizes(recipe, *content.shape, used)[0]
    if len(recipe.weights) > len(sizes):
        yield UserError(f"--weights names {len(recipe.weights)} for {len(sizes)} sizes", "name one for each, or fewer")
    coarsest, least = sizes[0], smallest_size(content.shape, used)
    yield from _too_small(content, coarsest, shortest_side(used), f"use a size of at least {least}")
    style_layers = spec.select(_style_layers(recipe, plugins))
    need = shortest_side(style_layers)
    for style in styles:
        scale = math.ceil(100 * smallest_size(style.shape, style_layers) / coarsest) / 100
        enlarged = f"use a --style-scale of at least {scale:g}, a less narrow style"
        advice = f"give a style of at least {need} pixels each way" if min(style.shape) < need else enlarged
        yield from _too_small(style, min(coarsest * style.scale, max(style.shape)), need, advice)


def _style_layers(recipe: Recipe, plugins: Plugins) -> list[str]:
    """Return the layers of every style loss with a weight, each once; unknown losses are reported elsewhere."""
    losses = [loss for loss in recipe.all_losses() if loss.weight]
    specs = [Findings().attempt(partial(plugins.find, "loss", loss.name)) for loss in losses]
    selections = [
        loss.layers or recipe.style_layers
        for loss, spec in zip(losses, specs, strict=True)
        if spec is not None and spec.role == "style"
    ]
    return list(dict.fromkeys(layer for selection in selections for layer in selection))


def _too_small(picture: Sized, long_side: float, need: int, advice: str) -> Iterable[UserError]:
    small = fit(*picture.shape, round(long_side))
    if min(small) >= need:
        return
    height, width = picture.shape
    yield UserError(
        f"'{picture.name}' ({width}×{height}) would be {small[1]}×{small[0]} pixels; the layers chosen need {need}",
        f"{advice}, or shallower layers",
    )
