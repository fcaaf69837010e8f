"""The seams: what crosses between the core, the backends, the losses, the optimizers and the initializers.

Everything here is a promise in words and types; nothing here computes. A backend author reads `FeatureBackend`, an
optimizer author `Optimizer`, a loss author `StatisticLoss` or `PointwiseLoss`, and who paints on many machines
`Executor`. Images are `Pixels` everywhere in the
core and become `Array` only between a backend and an optimizer. Each sentence that says what must hold is a test of the
same words in `nst.testing`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from nst.orders import Event, Order, Outcome

Pixels: TypeAlias = NDArray[np.float32]
"""An image on the host: `(H, W, 3)` float32, RGB, sRGB-encoded, 0..1, C-contiguous."""

Array: TypeAlias = Any
"""The same image where the backend wants it: an array-API array `(H, W, 3)`, not clipped. NumPy is always allowed.

It may be immutable, as JAX's arrays are: nst assigns to no element of one.
"""

Tensor: TypeAlias = Any
"""A value the backend can differentiate."""

State: TypeAlias = Mapping[str, Any]
"""An optimizer's whole memory: names to arrays shaped like the image, or to ints and floats. Serializable."""


class Features(Protocol):
    """Features of an image on the host: a mapping of layer to `(H_l, W_l, C_l)` float32, in network order.

    `image` is the image, `strides` are the pixels from one position of a layer to the next, and `shapes` the shapes of
    the layers that have been read.
    """

    @property
    def image(self) -> Pixels: ...
    @property
    def strides(self) -> Mapping[str, int]: ...
    @property
    def shapes(self) -> Mapping[str, tuple[int, ...]]: ...
    def __getitem__(self, layer: str, /) -> NDArray[np.float32]: ...
    def __iter__(self) -> Iterator[str]: ...


Targets: TypeAlias = Mapping[str, NDArray[np.float32]] | Iterable[tuple[str, NDArray[np.float32]]]
"""Target maps by layer, as a mapping or as pairs."""


class Namespace(Protocol):
    """The functions a loss may call, beside `+ - * / **`, slicing and `.shape`: a subset of the array API standard.

    Each gives what NumPy's gives. Each has the gradient of what it gives. Reductions take `axis` (an int, a tuple, or
    None for all) and `keepdims`.
    """

    def mean(self, x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor: ...
    def sum(self, x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor: ...
    def square(self, x: Tensor, /) -> Tensor: ...
    def sqrt(self, x: Tensor, /) -> Tensor: ...
    def abs(self, x: Tensor, /) -> Tensor: ...
    def maximum(self, x: Tensor, y: Tensor, /) -> Tensor: ...
    def reshape(self, x: Tensor, shape: tuple[int, ...], /) -> Tensor: ...
    def permute_dims(self, x: Tensor, axes: tuple[int, ...], /) -> Tensor: ...
    def matmul(self, x: Tensor, y: Tensor, /) -> Tensor: ...
    def concat(self, arrays: Sequence[Tensor], /, *, axis: int = 0) -> Tensor: ...
    def eye(self, n: int, /) -> Tensor: ...
    def sort(self, x: Tensor, /, *, axis: int = -1) -> Tensor: ...


@dataclass(frozen=True)
class Evaluation:
    """An objective at one image: the total loss, each weighted term of it, and the gradient, shaped like the image."""

    loss: float
    terms: Mapping[str, float]
    gradient: Array


Objective: TypeAlias = Callable[..., Evaluation]
"""`objective(image, *parameters)`; optimizers give it the image alone."""


class FeatureBackend(Protocol):
    """A differentiable feature extractor on one device.

    Its factory takes the loaded weights, `device`, `pooling`, `precision` ("auto", or one its spec offers), and the
    options its spec declares. Where its spec names kinds of `padding`, it takes one of them too. A device that its spec
    names is used, or refused with `UserError`. `xp` is the namespace losses compute in. `device` and `precision` are
    what a person is told, `notes` are things worth saying about them (a GPU that is present and unused).
    """

    xp: Namespace
    device: str
    precision: str
    notes: Sequence[str]

    def asarray(self, pixels: Pixels) -> Array:
        """Put an image, or a float32 array of any shape, where the backend computes.

        The input is not changed, nor shared with the result.
        """

    def to_numpy(self, image: Array) -> Pixels:
        """Bring an image back as `Pixels`, clipped to 0..1. What `asarray` put there comes back as it was."""

    def to_host(self, array: Array) -> NDArray[np.float32]:
        """Bring any array back as it is, of its own shape and not clipped: `asarray` of it is that array again."""

    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Activations by layer name, each `(H_l, W_l, C_l)`, channels last; computed to the deepest layer asked for.

        Every layer that the spec declares can be asked for, and only those asked for are given. `H_l` and `W_l` are the
        sides of the image over the layer's stride; a rest of pixels may be one more. In a VGG they are rounded down. A
        position sees no pixel further away than the layer's reach. `conv4_2` is before the ReLU, `relu4_2` after it.
        The smallest image is `nst.geometry.shortest_side` of the layers wide and high, and leaves one position at the
        deepest. A smaller image is refused with `UserError`, or has a position at each layer too.
        """

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """Make the objective whose value is the sum of the scalars `loss` returns.

        The objective takes an `Array` or a NumPy array of one size and returns the gradient in the same kind. It is
        called once per size, so it may trace or compile. The gradient is the slope of the loss. It is finite on flat
        pictures and beyond 0..1. The image is not written to. A gradient that was returned is not written to later. On
        the CPU the same image gives the same numbers.

        `objective(image, *parameters)` calls `loss(image, *parameters)`, NumPy's arrays among the parameters made the
        backend's own. The gradient is with respect to the image alone. What is given for the image may have any shape.

        `loss` is hashable. Two losses that are equal compute the same of the same arguments. The targets and weights of
        a picture are among the parameters, so that all pictures of one size have equal losses, and a backend that
        compiles may keep one program for all of them.
        """

    def peak_memory(self) -> int | None:
        """The most device memory held so far, in bytes; None where it is the process's own.

        A backend with memory of its own may also have `free_memory() -> int | None`, the bytes there that this process
        can hold in all: pictures that need more are computed in tiles from the start. Any may have `empty_cache() ->
        None`, called after an evaluation that raised `MemoryError`, to give back what that has left behind. Any may
        have `memory_errors() -> ContextManager`, within which memory that its framework runs out of, in what losses and
        optimizers compute too, is a `MemoryError`. Any other error within it is raised as it is.
        """


class ImageBackend(Protocol):
    """A feed-forward network: one pass, no objective.

    Its factory takes the loaded weights, `device`, and the options its spec declares. A device that its spec names is
    used, or refused with `UserError`. `device` and `precision` are what a person is told, `notes` are things worth
    saying about them (a GPU that is present and unused).
    """

    device: str
    precision: str
    notes: Sequence[str]

    def stylize(
        self, content: Pixels, styles: Sequence[Pixels], *, blend: Sequence[float], style_scale: float
    ) -> Pixels:
        """The content in the manner of the styles, as `Pixels` of the content's size.

        Pictures may be of any size, odd and single pixels too. Another style gives another picture. `blend` holds the
        styles' shares, summing to 1; a style of share 0 leaves no trace, and the order of the styles means nothing.
        `style_scale` is the styles' size relative to the picture's, above and below 1. The inputs are not written to,
        nor shared with the result. On the CPU the same pictures give the same picture.
        """

    def peak_memory(self) -> int | None:
        """The most device memory held so far, in bytes; None where it is the process's own."""


class StatisticLoss(Protocol):
    """Style: averages over positions, then compares. What every loss promises is said at `nst.specs.LossSpec`."""

    def statistic(self, xp: Namespace, features: Tensor, weight: Tensor | None) -> Tensor:
        """A mean over positions of `features` `(H, W, C)`, each position weighted by `weight` `(H, W)` if given.

        So the statistic of a picture is the mean of its tiles', weighted by their positions. An even weight is no
        weight. A weight of ones and zeros leaves the positions that have ones.
        """

    def distance(self, xp: Namespace, statistic: Tensor, target: Tensor) -> Tensor:
        """A scalar, 0 at the target, divided by the target's own energy so that weights keep their meaning."""


class PointwiseLoss(Protocol):
    """Content: compares at each position, then averages."""

    def difference(self, xp: Namespace, features: Tensor, target: Tensor) -> Tensor:
        """`(H, W)`, at least 0, and 0 where `features` `(H, W, C)` are like `target`, shaped alike.

        Each is of its own position and the next ones: a tile has the difference of the whole, but for a border of one.
        """

    def energy(self, xp: Namespace, target: Tensor) -> Tensor | float:
        """What the mean difference is divided by: the mean over positions of this `(H, W)`, or a float."""


class MatchedLoss(PointwiseLoss, Protocol):
    """Style: once per size, chooses a target for each position; then compares at each position, as content does.

    Everything but `difference` and `energy` runs on the host, in NumPy, outside the gradient. Features that are read
    from a mapping are float32 `(H_l, W_l, C_l)`. They are extracted when they are read, and not kept: read one layer
    after another in the mapping's order, and what has been read twice has been computed twice.
    """

    def query(self, content: Pixels, image: Pixels | None) -> Pixels:
        """Return the image whose features ask for matches, of the content's size.

        `image` is the picture that this size starts from, of the content's size; None at the first size.
        """

    def references(self, style: Pixels) -> Sequence[Pixels]:
        """Return the images that targets are taken from: the style image, or rotations of it."""

    def match(self, query: Features, styles: Sequence[Features], shares: Sequence[float]) -> Targets:
        """Return a target map `(H_l, W_l, C_l)` for each layer of `query`, shaped like its features there.

        `styles` are the references of the first style image, then those of the second, and so on. `shares` has one
        number per style image; they sum to 1. The same features give the same targets. A match writes to no features. A
        mapping may be returned, or pairs of layer and target one by one, which need less memory.
        """


@dataclass(frozen=True)
class Iterate:
    """One step of an optimizer: the new image, the objective evaluated there, and the optimizer's state.

    The evaluation is that of this very image. Neither `image` nor `state` is written to after it has been yielded.
    """

    image: Array
    evaluation: Evaluation
    state: State


class Optimizer(Protocol):
    """A generator of iterates, written against the array API, so that it runs on any backend's arrays.

    It gives the objective, and yields, images shaped like the one it was given, of its kind or NumPy's. It lowers a
    quadratic and Rosenbrock's function. Arrays may be immutable: it assigns to no element of one.
    """

    def __call__(
        self,
        objective: Objective,
        image: Array,
        *,
        state: State | None = None,
        step_scale: float = 1.0,
        **options: Any,
    ) -> Iterator[Iterate]:
        """Yield one iterate per step, without end or until no step improves.

        `image` is not written to. `state` is an earlier iterate's, with `image` that iterate's image: the iterates
        that follow are those that would have followed. One that is not `resumable` refuses a state with `NstError`.
        Every step's length is multiplied by `step_scale`; the engine halves it after a loss that was not finite. Such a
        loss is yielded or stepped back from, and no error. The same start gives the same iterates.
        """


class Initializer(Protocol):
    """The image an optimization starts from."""

    def __call__(self, content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator, **options: Any) -> Pixels:
        """`Pixels` of the content's size, drawn with `rng` alone: the same seed gives the same pixels.

        NumPy's global generator means nothing to it and is left alone. Contents and styles may be of any size, flat,
        and several. The inputs are not written to, nor shared with the result.
        """


class WeightSource(Protocol):
    """Where a weight set lives. Importing it imports no framework; `load` may."""

    def path(self) -> Path:
        """The file, whether it exists yet or not."""

    def fetch(self, on_progress: Callable[[int, int], None] | None = None) -> Path:
        """Download the file, verified, unless it is there; `on_progress` gets bytes done and bytes in all."""

    def verify(self) -> str:
        """The file's SHA-256 in hex; raises `NstError` when the file is not what it should be."""

    def load(self) -> Any:
        """The weights, as the backend takes them: for a VGG, a `nst.vgg.network.Network`."""


class Executor(Protocol):
    """Paints many pictures: a generator function, and the options its spec declares are its keywords.

    Every order comes out once, with what became of it, in any order. It comes out as it was given. An order that fails
    costs no other. Orders are taken when there is room to paint them: no more than a thousand wait for it. `tell` hears
    the events of each order, in the thread that asks for the next outcome. What is painted is what
    `nst.worker.painter.Painter` paints, to the last bit. Closed before its end it paints no further picture.

    A process that dies costs no picture but the one it was painting. That is said of executors which are isolated.
    """

    def __call__(
        self, orders: Iterable[Order], *, tell: Callable[[Order, Event], object], **options: Any
    ) -> Iterator[tuple[Order, Outcome]]: ...
