"""Create small networks for tests: real architectures with few channels."""

from __future__ import annotations

import numpy as np

from nst.vgg.architecture import convolutions
from nst.vgg.network import Network
from nst.vgg.preprocessing import PREPROCESSINGS

WIDTHS = (4, 6, 8, 8, 8)  # channels per block


def random_network(
    architecture: str = "vgg19", preprocessing: str = "torchvision", seed: int = 0, depth: int = 16
) -> Network:
    """Return the first `depth` random, slim convolutions of a VGG; activations neither fade nor grow."""
    rng = np.random.default_rng(seed)
    kernels, biases, inputs = {}, {}, 3
    for name in convolutions(architecture)[:depth]:
        outputs = WIDTHS[int(name[4]) - 1]
        scale = np.sqrt(2 / (9 * inputs)) / (255 if (name == "conv1_1" and preprocessing == "caffe") else 1)
        kernels[name] = (rng.normal(size=(outputs, inputs, 3, 3)) * scale).astype(np.float32)
        biases[name] = rng.normal(scale=0.1, size=outputs).astype(np.float32)
        inputs = outputs
    return Network(architecture, PREPROCESSINGS[preprocessing], kernels, biases, "random", "CC0-1.0")
