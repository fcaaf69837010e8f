"""Describe the VGG family: the convolutions in each block, and the layer names (Simonyan 2014, table 1).

Standard library only, so that a plugin can list its layers without importing anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache

from nst import geometry
from nst.geometry import Layer, Window, chain

BLOCKS: Mapping[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


AVERAGE_GAIN = 1.5
"""What every backend multiplies average pooling by, so that activations keep the size that max pooling gives them.

Measured at 256 px on four pictures, root mean square at relu2_1 … relu5_1 over that of max pooling: 0.9 to 1.5 in the
full VGG-19, 0.8 to 1.4 in the compact one. Without a gain they fade to 0.2 and 0.1; with 2 they grow to 4.
"""


def convolutions(architecture: str) -> tuple[str, ...]:
    """Return `conv1_1` … `conv5_4`, in network order."""
    blocks = enumerate(BLOCKS[architecture], start=1)
    return tuple(f"conv{block}_{conv}" for block, count in blocks for conv in range(1, count + 1))


def layer_names(architecture: str, present: Collection[str] | None = None) -> tuple[str, ...]:
    """Return the layers in network order, `conv1_1, relu1_1, …, pool5`, to the deepest `present` convolution."""
    return tuple(_layer_names(architecture, convolutions(architecture) if present is None else present))


def _layer_names(architecture: str, present: Collection[str]) -> Iterator[str]:
    for block, count in enumerate(BLOCKS[architecture], start=1):
        for conv in range(1, count + 1):
            if f"conv{block}_{conv}" not in present:
                return
            yield f"conv{block}_{conv}"
            yield f"relu{block}_{conv}"
        yield f"pool{block}"


@cache
def vgg_layers(architecture: str) -> tuple[Layer, ...]:
    """Return every layer with its stride and reach, in network order; strides are 1 at `relu1_1`, 16 at `relu5_1`."""
    return chain(_windows(architecture))


def _windows(architecture: str) -> Iterator[Window]:
    for name in layer_names(architecture):
        kernel, stride = (3, 1) if name.startswith("conv") else (2, 2) if name.startswith("pool") else (1, 1)
        yield Window(kernel, stride, name=name)


@cache
def _by_name() -> Mapping[str, Layer]:
    """Return the layers of all VGGs by name; VGG-19 has every layer of the smaller VGGs."""
    return {layer.name: layer for layer in vgg_layers("vgg19")}


def layer(name: str) -> Layer:
    """Return a layer of VGG-19 by name; any other name is a layer like the image itself."""
    return _by_name().get(name) or Layer(name)


def select(names: Iterable[str]) -> tuple[Layer, ...]:
    """Return the layers of these names, with their geometry."""
    return tuple(map(layer, names))


def at(selection: Mapping[str, float]) -> dict[Layer, float]:
    """Return a selection of VGG layers, by name, as one of layers with their geometry."""
    return {layer(name): share for name, share in selection.items()}


def smallest_side(names: Iterable[str]) -> int:
    """Return the shortest image side in pixels that leaves one position at the deepest of the layers."""
    return geometry.shortest_side(select(names))
