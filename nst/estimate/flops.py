"""What a network costs, from its shapes alone: operations, and bytes of activations.

Only convolutions count: pools, ReLUs and losses are a few percent of the operations, and grow as they do.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from math import prod

from nst.engine.tiling import Grid
from nst.geometry import IMAGE, Layer
from nst.vgg.architecture import layer, layer_names
from nst.vgg.network import Network

Size = tuple[int, int]
"""(height, width) in pixels."""

FLOAT = 4
"""Bytes of a float32."""

BACKWARD = 1
"""Operations of a pass back over those of a pass forward: the gradient is the image's, and kernels have none."""


@dataclass(frozen=True)
class Outline:
    """A network's shape: its architecture, and by name the channels (in, out) of each convolution."""

    architecture: str
    channels: Mapping[str, tuple[int, int]]

    @property
    def weights(self) -> int:
        """Bytes of its kernels."""
        return sum(9 * prod(shape) for shape in self.channels.values()) * FLOAT

    def upto(self, layers: Collection[Layer]) -> list[str]:
        """Return the convolutions that are computed for the layers, by name."""
        order, names = layer_names(self.architecture, self.channels), {layer.name for layer in layers}
        depth = max((order.index(name) + 1 for name in names if name in order), default=0)
        return [name for name in order[:depth] if name in self.channels]


def outline(network: object) -> Outline | None:
    """Return the outline of a VGG, or None for any other network."""
    if not isinstance(network, Network):
        return None
    shapes = {name: kernel.shape for name, kernel in network.kernels.items()}
    return Outline(network.architecture, {name: (shape[1], shape[0]) for name, shape in shapes.items()})


def forward(network: Outline, layers: Collection[Layer], size: Size) -> float:
    """Operations of one pass to the deepest of the layers, a multiplication and an addition being two."""
    per_position = ((name, 2 * 9 * prod(network.channels[name])) for name in network.upto(layers))
    return float(sum(operations * positions(size, name) for name, operations in per_position))


def activations(network: Outline, layers: Collection[Layer], size: Size) -> int:
    """Bytes of the outputs of all convolutions that the layers need, each counted once."""
    return sum(_output(network, name, size) for name in network.upto(layers))


def feature_bytes(network: Outline, layer: Layer, size: Size) -> int:
    """Bytes of one layer's features."""
    if layer.name == IMAGE:
        return prod(size) * 3 * FLOAT
    return positions(size, layer.name) * network.channels[network.upto([layer])[-1]][1] * FLOAT


def _output(network: Outline, name: str, size: Size) -> int:
    return positions(size, name) * network.channels[name][1] * FLOAT


def positions(size: Size, name: str) -> int:
    """How many positions a layer has."""
    return (size[0] // layer(name).stride) * (size[1] // layer(name).stride)


def evaluation(network: Outline, layers: Collection[Layer], style: Collection[Layer], grid: Grid) -> float:
    """Operations of one loss and gradient; in tiles the style's statistics take a pass forward of their own."""
    boxes = grid.boxes().items()
    parts = (count * forward(network, layers, box) * (1 + BACKWARD) for box, count in boxes)
    first = (count * forward(network, style, box) for box, count in boxes) if len(grid) > 1 else ()
    return sum(parts) + sum(first)
