"""VGG-16 and VGG-19 on TensorFlow.

Layout: images `(H, W, 3)` and features `(H_l, W_l, C_l)` are TensorFlow's own channels-last, no copy either way.
Value range: the network's own preprocessing is folded into the first convolution, so pixels only lose their mean.
Padding: zeros, as VGG was trained, or the edge mirrored or repeated; pools drop an odd last row or column. Weights: any
`nst.vgg.network.Network`, whatever its origin and widths. Precision: in bfloat16, convolutions and activations are;
features go out as float32, and what losses compute, the image and its gradient are float32.

Its `Array` is NumPy's: optimizers are written against the array API, which TensorFlow's tensors do not follow. So an
optimizer computes on the host, and of each step only the image and its gradient cross to the device and back.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from typing import Any

import numpy as np

from nst.geometry import require_size
from nst.protocols import Array, Evaluation, Objective, Pixels, Tensor
from nst.vgg import AVERAGE_GAIN, Network, select
from nst_keras import namespace as xp
from nst_keras.device import choose, prepare
from nst_keras.memory import memory_errors
from nst_keras.precision import choose as choose_precision
from nst_keras.tensorflow_import import tensorflow as tf

PROGRAMS = 64
"""Traced losses that are kept: those of all sizes and kinds of tiles of a run or two."""


class VGG:
    """A `nst.protocols.FeatureBackend`."""

    xp: Any = xp

    def __init__(
        self,
        network: Network,
        *,
        device: str = "auto",
        pooling: str = "max",
        precision: str = "auto",
        padding: str = "zero",
    ) -> None:
        self.device, self.notes = choose(device)
        self._place = prepare(self.device)
        self.precision = choose_precision(precision, self.device)
        self._dtype = tf.dtypes.as_dtype(self.precision)
        self._pool = POOLINGS[pooling]
        self._padding = padding
        self._program = lru_cache(PROGRAMS)(self._trace)
        with tf.device(self._place):
            self._mean = tf.constant(network.mean())
            self._convs = {name: self._conv(weight, bias) for name, weight, bias in network.folded()}

    def _conv(self, weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        kernel = tf.constant(weight.transpose(2, 3, 1, 0))
        return tf.cast(kernel, self._dtype), tf.cast(bias, self._dtype)

    def asarray(self, pixels: Pixels) -> Array:
        """`(H, W, 3)` float32 on the host."""
        return np.array(pixels, np.float32)

    def to_numpy(self, image: Array) -> Pixels:
        """`(H, W, 3)` float32 on the host, clipped to 0..1."""
        return self.to_host(image).clip(0, 1)

    def to_host(self, array: Array) -> Pixels:
        """Any array, float32 on the host, a copy."""
        return np.array(array, np.float32, order="C")

    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Activations `(H_l, W_l, C_l)` by name; the network runs once, to the deepest of `layers`."""
        require_size(image.shape, select(layers))
        names = set(layers)
        features: dict[str, Tensor] = {}
        with tf.device(self._place):
            for name, activation in self._run(image):
                if name in names:
                    features[name] = tf.cast(tf.squeeze(activation, 0), tf.float32)
                if len(features) == len(names):
                    break
        return features

    def _run(self, image: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Every layer's activation in turn, NHWC."""
        x = tf.cast(tf.expand_dims(image - self._mean, 0), self._dtype)
        block = "1"
        for name, (weight, bias) in self._convs.items():
            place = name.removeprefix("conv")
            if place[0] != block:
                x = self._pool(x)
                yield f"pool{block}", x
                block = place[0]
            x = tf.nn.bias_add(self._convolved(x, weight), bias)
            yield name, x
            x = tf.nn.relu(x)
            yield f"relu{place}", x
        yield f"pool{block}", self._pool(x)

    def _convolved(self, x: Tensor, weight: Tensor) -> Tensor:
        if self._padding == "zero":
            return tf.nn.conv2d(x, weight, strides=1, padding="SAME")
        return tf.nn.conv2d(_padded(x, self._padding), weight, strides=1, padding="VALID")

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """Return the objective on NumPy arrays, or on TensorFlow's tensors; losses that are equal are traced once."""
        names, traced = self._program(loss)

        def objective(image: Array, *parameters: Array) -> Evaluation:
            with tf.device(self._place):
                tensors = [tf.convert_to_tensor(each, tf.float32) for each in (image, *parameters)]
                values, gradient = traced(*(tuple(each.shape) for each in tensors))(*tensors)
            named = dict(zip(names, values.numpy().tolist(), strict=True))
            kind = gradient.numpy() if isinstance(image, np.ndarray) else gradient
            return Evaluation(sum(named.values()), named, kind)

        return objective

    def _trace(self, loss: Callable[..., Mapping[str, Tensor]]) -> tuple[list[str], Callable[..., Any]]:
        """Return the names of a loss's terms, known once it is traced, and its program for each set of shapes."""
        names: list[str] = []

        def evaluate(leaf: Tensor, *parameters: Tensor) -> tuple[Tensor, Tensor]:
            with tf.GradientTape() as tape:
                tape.watch(leaf)
                terms = loss(leaf, *parameters)
                values = tf.stack(list(terms.values()))
            names[:] = terms
            return values, tape.gradient(values, leaf)

        @cache
        def traced(*shapes: tuple[int, ...]) -> Any:
            # Not compiled by XLA, which takes longer on a CPU (README).
            signature = [tf.TensorSpec(shape, tf.float32) for shape in shapes]
            return tf.function(evaluate, autograph=False).get_concrete_function(*signature)

        return names, traced

    def peak_memory(self) -> int | None:
        """Bytes of GPU memory at their most; None on the CPU."""
        return tf.config.experimental.get_memory_info(self._place)["peak"] if self.device == "cuda" else None

    memory_errors = staticmethod(memory_errors)


def _padded(x: Tensor, padding: str) -> Tensor:
    """One position more each way. A mirror needs two; where there is one, it is repeated: as "SYMMETRIC" does."""
    mirrored = padding == "reflect" and min(x.shape[1:3]) > 1
    return tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "REFLECT" if mirrored else "SYMMETRIC")


def _max_pool(x: Tensor) -> Tensor:
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


def _average_pool(x: Tensor) -> Tensor:
    return tf.nn.avg_pool2d(x, 2, 2, "VALID") * AVERAGE_GAIN


POOLINGS = {"max": _max_pool, "average": _average_pool}
