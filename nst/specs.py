"""Define the specs, the frozen data by which a plugin declares its objects.

Standard library only: specs are read before any framework is imported, so every mistake in a call can be reported at
once and at little cost. The object itself is named by a string, `"package.module:attribute"`, imported at first use.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from nst.geometry import Layer

OptionValue = bool | int | float | str


def resolve(reference: str) -> Any:
    """Import and return what `"package.module:attribute"` names."""
    from importlib import import_module
    from operator import attrgetter

    module, _, attribute = reference.partition(":")
    return attrgetter(attribute)(import_module(module))


@dataclass(frozen=True)
class Option:
    """One option of a plugin, typed by its default (bool, int, float or str).

    `minimum` and `maximum` are inclusive; `choices` lists the allowed values of a str; `unit` is for display. Every
    value that is allowed works.
    """

    name: str
    default: OptionValue
    help: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    unit: str = ""


@dataclass(frozen=True)
class WeightSet:
    """A named set of network weights.

    `source` names a `nst.protocols.WeightSource`, importable without a framework: it knows the file's place, how to
    fetch it and how to load it. `size` is in bytes, shown before a download; 0 when it ships with nst.
    """

    name: str
    source: str
    origin: str
    license: str
    preprocessing: str
    size: int = 0


@dataclass(frozen=True)
class Spec:
    """What every plugin object declares.

    `requires` are the modules its factory imports, `install` the pip requirement that provides them. What every plugin
    promises of its specs is said in `nst.hookspecs`.
    """

    name: str
    factory: str
    summary: str = ""
    options: tuple[Option, ...] = ()
    requires: tuple[str, ...] = ()
    install: str = ""

    def load(self) -> Any:
        """Import and return the factory; raises what the import raises."""
        return resolve(self.factory)


@dataclass(frozen=True)
class MemoryModel:
    """The memory that a backend's framework needs, so that a run can be estimated before it starts.

    `base` is the memory of a process with the framework imported and used once, in bytes on the CPU. At the worst
    moment of an evaluation with its gradient, `factor` bytes are held for each byte of the convolutions' outputs. The
    default stands for a backend without figures: then an estimate is a lower bound. `tiles` are the bytes that a run in
    tiles takes beside its largest tile. `benchmarks/memory.py` measures `base` and `factor`, `benchmarks/estimates.py`
    whole runs.
    """

    base: int = 0
    factor: float = 1.0
    tiles: int = 0


@dataclass(frozen=True)
class BackendSpec(Spec):
    """A network on a framework.

    `kind` "feature" promises `nst.protocols.FeatureBackend`, "image" promises `ImageBackend`. `layers` are those
    it can extract, in network order, with their geometry; `nst.geometry.chain` computes it. `style_layers` and
    `content_layers` name those that a recipe uses which names none, with equal weights; without them the recipe's usual
    layers are used. `architecture` is what its weight files must declare, `devices` are those it may be told to
    use, and `pooling` the kinds it offers: "auto" and "max" are what people get who say nothing. `padding` are the
    kinds of that, the usual one first; a backend that names none takes no choice of it. `precisions` are those it can
    compute in, beside "auto", which leaves the choice to it. `files` names what makes a `WeightSource` of a path the
    user gives; empty where no file will do. A backend without `weights` gets None for them. `compressor` names a
    `nst.weights.compression.Compressor`, where the backend can make slim networks of full ones.

    A backend that names an `architecture` has the features of `nst.vgg.reference`, whatever input its weights want,
    with every kind of `pooling`. It has them with every kind of `padding`, where mirrors have a single position to show
    too. Every loss of nst's own has the value and the gradient that it has in `nst.vgg.reference`. It has both with
    every kind of `padding`. In tiles the gradient is that of the whole picture.
    """

    kind: Literal["feature", "image"] = "feature"
    architecture: str = ""
    layers: tuple[Layer, ...] = ()
    style_layers: tuple[str, ...] = ()
    content_layers: tuple[str, ...] = ()
    devices: tuple[str, ...] = ("auto", "cpu")
    memory: MemoryModel = MemoryModel()
    weights: tuple[WeightSet, ...] = ()
    pooling: tuple[str, ...] = ("max",)
    precisions: tuple[str, ...] = ("float32",)
    files: str = "nst.weights:NeutralFile"
    compressor: str = ""
    padding: tuple[str, ...] = ()

    def select(self, names: Iterable[str]) -> tuple[Layer, ...]:
        """Return the layers of these names; a name that is not declared is a layer like the image itself."""
        declared = {layer.name: layer for layer in self.layers}
        return tuple(declared.get(name) or Layer(name) for name in names)

    @property
    def layer_names(self) -> tuple[str, ...]:
        """The names of the layers, in network order."""
        return tuple(layer.name for layer in self.layers)

    def pads(self, kind: str) -> str:
        """Return the padding that `kind` names, where "auto" is the default; "" if the backend has no choice."""
        return (self.padding or ("",))[0] if kind == "auto" else kind


@dataclass(frozen=True)
class OptimizerSpec(Spec):
    """An optimizer: its factory is a `nst.protocols.Optimizer`.

    `resumable` says that a run can be taken up from an iterate's state. `carries` says that such a state, its arrays
    resized bilinearly, like the image, starts well at another size. `state_bytes` names a function
    `(image, steps, **options) -> int`, importable without a framework: the bytes that its state takes for an
    image of so many bytes after so many steps.
    """

    resumable: bool = True
    carries: bool = False
    state_bytes: str = ""


class InitializerSpec(Spec):
    """A start image: its factory is a `nst.protocols.Initializer`."""


@dataclass(frozen=True)
class LossSpec(Spec):
    """A loss: its factory makes a `StatisticLoss`, a `PointwiseLoss` or a `MatchedLoss`, as `shape` says, for a `role`.

    Role "style" takes the shapes "statistic", "whole" and "matched", roles "content" and "image" take "pointwise".

    `shape` "whole" promises the methods of a `StatisticLoss`, but not that its statistic is a mean over positions: such
    a loss looks at the whole picture at once, and raises `NstError` for a weight.

    A loss calls nothing but its `Namespace`. It is a number of 0 or more. It is 0 at its target. It is above 0 where
    features and target are unlike. It stays the same when features and target are multiplied alike. It stays the same
    when every row, column or channel is there twice, so that a weight means the same at any size and any number of
    channels. It takes any number of channels. It takes pictures of any size, a single position too. Its gradient is
    finite at the target. Its gradient is finite on black and flat pictures. What it is given is not written to. The
    same features give the same number. Role "image" has no target, and promises only what is said without one.

    `copies` is how many times the features of its layers a loss holds at its worst moment, for an estimate of memory.
    """

    role: Literal["style", "content", "image"] = "style"
    shape: Literal["statistic", "pointwise", "whole", "matched"] = "statistic"
    copies: float = 0.0


SHAPES: Mapping[str, tuple[str, ...]] = {
    "style": ("statistic", "whole", "matched"),
    "content": ("pointwise",),
    "image": ("pointwise",),
}
"""The shapes that a loss of each role may have."""


@dataclass(frozen=True)
class ExecutorSpec(Spec):
    """Where a folder of pictures is painted: its factory is a `nst.protocols.Executor`.

    `isolated` says that it paints in processes of their own, so that one that dies costs no picture but the one it was
    painting. `remote` says that these may be on other machines.
    """

    isolated: bool = True
    remote: bool = False
