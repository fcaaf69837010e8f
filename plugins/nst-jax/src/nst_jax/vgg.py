"""VGG-16 and VGG-19 on JAX.

Layout: images `(H, W, 3)` and features `(H_l, W_l, C_l)` are channels last, as XLA likes them. Value range: the
network's own preprocessing is folded into the first convolution, so pixels only lose their mean. Padding: zeros, as VGG
was trained, or the edge mirrored or repeated; pools drop an odd last row or column. Weights: any
`nst.vgg.network.Network`, whatever its origin and widths. Precision: in bfloat16, convolutions and activations are;
features go out as float32, and what losses compute, the image and its gradient are float32.

Its `Array` is JAX's, which nobody can write to. XLA compiles each loss once per size: pictures that differ in their
numbers alone share the program, and the weights are its arguments too, since constants would be copied into it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from threading import local
from typing import Any

import jax.numpy as jnp
import numpy as np
from jax import lax, nn

from nst.geometry import require_size
from nst.protocols import Array, Evaluation, Objective, Pixels, Tensor
from nst.vgg import AVERAGE_GAIN, Network, select
from nst_jax import memory
from nst_jax import namespace as xp
from nst_jax.device import choose, place
from nst_jax.jax_import import jax
from nst_jax.precision import choose as choose_precision

PROGRAMS = 64
"""Compiled losses that are kept: those of all sizes and kinds of tiles of a run or two."""


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
        self._place = place(self.device)
        self.precision = choose_precision(precision, self.device)
        self._mean = self.asarray(network.mean())
        self._own_convs = {name: self._conv(weight, bias) for name, weight, bias in network.folded()}
        self._traced = local()
        self._pool, self._padding = POOLINGS[pooling], padding
        self._program = lru_cache(PROGRAMS)(self._compile)

    def _conv(self, weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        kernel = self.asarray(weight.transpose(2, 3, 1, 0))
        return kernel.astype(self.precision), self.asarray(bias).astype(self.precision)

    def asarray(self, pixels: Pixels) -> Array:
        """`(H, W, 3)` float32 on the device."""
        return jax.device_put(np.array(pixels, np.float32), self._place)

    def to_numpy(self, image: Array) -> Pixels:
        """`(H, W, 3)` float32 on the host, clipped to 0..1."""
        return self.to_host(image).clip(0, 1)

    def to_host(self, array: Array) -> Pixels:
        """Any array, float32 on the host, a copy."""
        return np.array(array, np.float32, order="C")

    @memory.memory_errors()
    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Activations `(H_l, W_l, C_l)` by name; the network runs once, to the deepest of `layers`."""
        require_size(image.shape, select(layers))
        convs = getattr(self._traced, "convs", self._own_convs)
        wanted, found = set(layers), dict[str, Tensor]()
        for name, activation in self._run(image, convs):
            if name in wanted:
                found[name] = activation[0].astype(jnp.float32)
            if len(found) == len(wanted):
                break
        return found

    def _run(self, image: Tensor, convs: Mapping[str, Any]) -> Iterator[tuple[str, Tensor]]:
        """Every layer's activation in turn, NHWC."""
        x = (image - self._mean)[None].astype(self.precision)
        block = "1"
        for name in self._own_convs:
            place = name.removeprefix("conv")
            if place[0] != block:
                x = self._pool(x)
                yield f"pool{block}", x
                block = place[0]
            x = _convolved(x, *convs[name], padding=self._padding)
            yield name, x
            x = nn.relu(x)
            yield f"relu{place}", x
        yield f"pool{block}", self._pool(x)

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """Return the objective on JAX's arrays, or on NumPy's; losses that are equal share what is compiled."""
        names, program = self._program(loss)

        @memory.memory_errors()
        def objective(image: Array, *parameters: Array) -> Evaluation:
            leaf, *arrays = (x if isinstance(x, jax.Array) else self.asarray(x) for x in (image, *parameters))
            (_, values), gradient = program(leaf, self._own_convs, *arrays)
            named = dict(zip(names, values.tolist(), strict=True))  # the one transfer from a GPU
            kind = np.array(gradient) if isinstance(image, np.ndarray) else gradient
            return Evaluation(sum(named.values()), named, kind)

        return objective

    def _compile(self, loss: Callable[..., Mapping[str, Tensor]]) -> tuple[list[str], Any]:
        """Return the names of a loss's terms, known once it has been traced, and its program, compiled at first use."""
        names: list[str] = []

        def evaluate(image: Tensor, convs: Mapping[str, Any], *parameters: Tensor) -> tuple[Tensor, Tensor]:
            with self._tracing(convs):
                terms = loss(image, *parameters)
            names[:] = terms
            values = jnp.stack(list(terms.values()))
            return values.sum(), values

        return names, jax.jit(jax.value_and_grad(evaluate, has_aux=True))

    @contextmanager
    def _tracing(self, convs: Mapping[str, Any]) -> Iterator[None]:
        """Have `features` take the weights from a program's arguments while the program is traced."""
        self._traced.convs = convs
        try:
            yield
        finally:
            del self._traced.convs

    def peak_memory(self) -> int | None:
        """Bytes of GPU memory at their most; None on the CPU."""
        return self._memory("peak_bytes_in_use")

    def free_memory(self) -> int | None:
        """Bytes of GPU memory that this process can have in all; None on the CPU."""
        return self._memory("bytes_limit")

    def _memory(self, statistic: str) -> int | None:
        return int(self._place.memory_stats()[statistic]) if self.device == "cuda" else None

    memory_errors = staticmethod(memory.memory_errors)


@partial(jax.jit, static_argnames="padding")
def _convolved(x: Tensor, weight: Tensor, bias: Tensor, *, padding: str) -> Tensor:
    """3×3. A mirror needs two positions each way; where there is one, it is repeated."""
    if padding != "zero":
        mirrored = padding == "reflect" and min(x.shape[1:3]) > 1
        x = jnp.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)), "reflect" if mirrored else "edge")
    kind = "SAME" if padding == "zero" else "VALID"
    layout = ("NHWC", "HWIO", "NHWC")
    exact = lax.Precision.HIGHEST  # float32 is float32 on a GPU too, never TensorFloat-32
    return lax.conv_general_dilated(x, weight, (1, 1), kind, dimension_numbers=layout, precision=exact) + bias


def _corners(x: Tensor) -> Iterator[Tensor]:
    """Yield the four positions of each 2×2 window; an odd last row or column is left out."""
    height, width = (side // 2 * 2 for side in x.shape[1:3])
    return (x[:, i:height:2, j:width:2] for i in (0, 1) for j in (0, 1))


@jax.jit
def _max_pool(x: Tensor) -> Tensor:
    """Twice as fast as `lax.reduce_window` and its way back, on a CPU."""
    a, b, c, d = _corners(x)
    return _larger(_larger(a, b), _larger(c, d))


def _larger(x: Tensor, y: Tensor) -> Tensor:
    """Where both are alike the slope goes to the first, as in other frameworks; `maximum` would share it."""
    return jnp.where(x < y, y, x)


@jax.jit
def _average_pool(x: Tensor) -> Tensor:
    a, b, c, d = _corners(x)
    return (a + b + c + d) * (AVERAGE_GAIN / 4)


POOLINGS = {"max": _max_pool, "average": _average_pool}
