"""The geometry of a network's layers: how many pixels a position covers, and how far it sees.

Standard library only, so that a plugin can declare its layers without importing anything.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from nst.errors import UserError

IMAGE = "image"
"""The name of the image itself as a layer, `(H, W, 3)`: the layer of losses on pixels."""


@dataclass(frozen=True)
class Layer:
    """A layer whose features can be extracted.

    Position `i` belongs to the pixels `i * stride` to `(i + 1) * stride - 1` of each axis, and sees up to `reach`
    pixels beyond them on either side. `smallest` is the shortest image side in pixels that the layer can be extracted
    from; 0 means the stride.
    """

    name: str
    stride: int = 1
    reach: int = 0
    smallest: int = 0

    def __str__(self) -> str:
        """Return the name."""
        return self.name

    @property
    def least(self) -> int:
        """Return the shortest image side in pixels."""
        return self.smallest or self.stride


@dataclass(frozen=True)
class Window:
    """A convolution or a pool, described by the inputs that one position of its output sees.

    `padding` is on the side of the first position; None is `(kernel - 1) // 2` of a dilated kernel. An operation with a
    `name` is a layer.
    """

    kernel: int
    stride: int = 1
    padding: int | None = None
    dilation: int = 1
    name: str = ""


def chain(windows: Iterable[Window]) -> tuple[Layer, ...]:
    """Return the named layers of a chain of convolutions and pools, in order.

    In a network with branches, give the longest chain: `chain([Window(7, 2, name="conv1"), Window(3, 2), Window(3),
    Window(3, name="layer1")])`. Leave out activations and normalizations, which see one position.
    """
    return tuple(_layers(windows))


def _layers(windows: Iterable[Window]) -> Iterator[Layer]:
    stride, reach = 1, 0
    for window in windows:
        kernel = (window.kernel - 1) * window.dilation + 1
        padding = (kernel - 1) // 2 if window.padding is None else window.padding
        reach += stride * max(padding, kernel - padding - window.stride, 0)
        stride *= window.stride
        if window.name:
            yield Layer(window.name, stride, reach)


def shortest_side(layers: Iterable[Layer]) -> int:
    """Return the shortest image side in pixels that all of `layers` can be extracted from."""
    return max((layer.least for layer in layers), default=1)


def require_size(shape: Sequence[int], layers: Iterable[Layer]) -> None:
    """Raise `UserError` for a picture of `shape` `(H, W, …)` that leaves no position at one of the layers."""
    height, width = shape[:2]
    deepest = max(layers, key=lambda layer: layer.least, default=Layer(IMAGE))
    if min(height, width) < deepest.least:
        small = f"a picture of {width}×{height} pixels is too small for {deepest}"
        raise UserError(f"{small}, which needs {deepest.least} each way", "use a larger picture, or shallower layers")


def smallest_size(shape: tuple[int, int], layers: Iterable[Layer]) -> int:
    """Return the least long side in pixels at which an image of this proportion (height, width) has that short side."""
    return -(-shortest_side(layers) * max(shape) // min(shape))
