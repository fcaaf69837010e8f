"""The VGG family by name: how many convolutions in each block, and what the layers are called (Simonyan 2014, table 1).

Standard library only, so that a plugin can list its layers without importing anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import cache

BLOCKS: Mapping[str, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}


AVERAGE_GAIN = 1.5
"""What every backend multiplies average pooling by, so that activations keep the size that max pooling gives them.

Measured at 256 px on four pictures, root mean square at relu2_1 … relu5_1 over that of max pooling: 0.9 to 1.5 in the
full VGG-19, 0.8 to 1.4 in the compact one. Without a gain they fade to 0.2 and 0.1; with 2 they grow to 4.
"""


def convolutions(architecture: str) -> tuple[str, ...]:
    """`conv1_1` … `conv5_4`, in network order."""
    blocks = enumerate(BLOCKS[architecture], start=1)
    return tuple(f"conv{block}_{conv}" for block, count in blocks for conv in range(1, count + 1))


def layer_names(architecture: str, present: Collection[str] | None = None) -> tuple[str, ...]:
    """Every layer in network order, `conv1_1, relu1_1, …, pool5`; only what the `present` convolutions reach."""
    return tuple(_layer_names(architecture, convolutions(architecture) if present is None else present))


def _layer_names(architecture: str, present: Collection[str]) -> Iterator[str]:
    for block, count in enumerate(BLOCKS[architecture], start=1):
        for conv in range(1, count + 1):
            if f"conv{block}_{conv}" not in present:
                return
            yield f"conv{block}_{conv}"
            yield f"relu{block}_{conv}"
        yield f"pool{block}"


def smallest_side(layers: Collection[str]) -> int:
    """Return the shortest image side in pixels that leaves one position at the deepest of `layers`."""
    return max(map(stride, layers), default=1)


def smallest_size(shape: tuple[int, int], layers: Collection[str]) -> int:
    """Return the least long side in pixels at which an image of this proportion (height, width) has that short side."""
    return -(-smallest_side(layers) * max(shape) // min(shape))


@cache
def stride(layer: str) -> int:
    """Return the pixels from one position of a layer to the next: 1 at `relu1_1` and for the image, 16 at `relu5_1`."""
    return int(2 ** _pools_before(layer))


def reach(layers: Collection[str]) -> int:
    """Return how far, in pixels, the features of any of `layers` and their neighbors see beyond their own position.

    Each 3x3 convolution adds its stride. One more position is added for losses that compare neighbors. The reach of
    VGG-19 is used for smaller VGGs, whose own reach is less.
    """
    return max(map(_reach, layers), default=0)


@cache
def _reach(layer: str) -> int:
    order = layer_names("vgg19")
    before = order[: order.index(layer) + 1] if layer in order else ()
    return sum(stride(name) for name in before if name.startswith("conv")) + stride(layer)


def _pools_before(layer: str) -> int:
    order = layer_names("vgg19")  # contains every layer of the smaller VGGs
    if layer not in order:
        return 0
    return sum(name.startswith("pool") for name in order[: order.index(layer) + 1])
