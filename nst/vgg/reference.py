"""Implement the reference backend in NumPy, float64: slow and exact; it defines the results of all other backends.

Its gradient is numeric and shares no derivation with any framework; tests compare losses and backends with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.geometry import require_size
from nst.protocols import Evaluation, Objective, Pixels
from nst.vgg.architecture import AVERAGE_GAIN, select
from nst.vgg.network import Network

Exact = NDArray[np.float64]

NAMES = [
    "mean",
    "sum",
    "square",
    "sqrt",
    "abs",
    "maximum",
    "reshape",
    "permute_dims",
    "matmul",
    "concat",
    "eye",
    "sort",
]
"""The functions of `nst.protocols.Namespace`, and no others: a loss that needs more fails here."""


class ReferenceVGG:
    """A `nst.protocols.FeatureBackend` for small pictures: a gradient costs two evaluations per value."""

    xp: Any = SimpleNamespace(**{name: getattr(np, name) for name in NAMES})
    device = "cpu"
    precision = "float64"
    notes: Sequence[str] = ()

    def __init__(self, network: Network, *, pooling: str = "max", padding: str = "zero", step: float = 1e-5) -> None:
        self._network = network
        self._pool = {"max": _max_pool, "average": _average_pool}[pooling]
        self._padding = padding
        self._step = step

    def asarray(self, pixels: Pixels) -> Exact:
        """Return `(H, W, 3)` float64."""
        return np.array(pixels, np.float64)

    def to_host(self, array: Exact) -> NDArray[np.float32]:
        """Return the array as float32."""
        return np.array(array, np.float32)

    def to_numpy(self, image: Exact) -> Pixels:
        """Return `(H, W, 3)` float32, clipped to 0..1."""
        return np.clip(image, 0, 1).astype(np.float32)

    def features(self, image: Exact, layers: Sequence[str]) -> Mapping[str, Exact]:
        """Compute activations `(H_l, W_l, C_l)` by layer name."""
        require_size(image.shape, select(layers))
        features: dict[str, Exact] = {}
        run = self._run(np.asarray(image, np.float64))
        while len(features) < len(set(layers)):
            name, x = next(run)
            features |= {name: x} if name in layers else {}
        return features

    def _run(self, image: Exact) -> Iterator[tuple[str, Exact]]:
        pre = self._network.preprocessing
        x = (image if pre.order == "RGB" else image[..., ::-1]) * pre.scale
        x = (x - np.array(pre.mean)) / np.array(pre.std)
        block = "1"
        for name, kernel in self._network.kernels.items():
            place = name.removeprefix("conv")
            if place[0] != block:
                x = self._pool(x)
                yield f"pool{block}", x
                block = place[0]
            x = _convolve(_padded(x, self._padding), kernel.astype(np.float64)) + self._network.biases[name]
            yield name, x
            x = np.maximum(x, 0)
            yield f"relu{place}", x
        yield f"pool{block}", self._pool(x)

    def value_and_grad(self, loss: Callable[..., Mapping[str, Any]]) -> Objective:
        """Compute the gradient by central differences, one value of the image at a time."""

        def objective(image: Any, *parameters: Any) -> Evaluation:
            def total(image: Exact) -> float:
                return float(sum(loss(image, *parameters).values()))

            point = np.array(image, np.float64)
            terms = {name: float(value) for name, value in loss(point, *parameters).items()}
            return Evaluation(sum(terms.values()), terms, _numeric_gradient(total, point, self._step))

        return objective

    def peak_memory(self) -> None:
        """Return None: the memory is the process's own."""
        return None


def _padded(x: Exact, padding: str) -> Exact:
    """Pad to `(H + 2, W + 2, C)`. A mirror needs two positions per axis; a single position is repeated."""
    kind = "replicate" if padding == "reflect" and min(x.shape[:2]) < 2 else padding
    modes: Mapping[str, Any] = {"zero": "constant", "reflect": "reflect", "replicate": "edge"}
    return np.pad(x, ((1, 1), (1, 1), (0, 0)), mode=modes[kind])


def _convolve(padded: Exact, kernel: Exact) -> Exact:
    """Convolve with 3×3 kernels, stride 1: `(H + 2, W + 2, in)` with `(out, in, 3, 3)` to `(H, W, out)`."""
    height, width = padded.shape[0] - 2, padded.shape[1] - 2
    shifts = ((i, j) for i in range(3) for j in range(3))
    return sum(padded[i : i + height, j : j + width] @ kernel[:, :, i, j].T for i, j in shifts)  # type: ignore[return-value]


def _windows(x: Exact) -> Exact:
    """Return `(H/2, 2, W/2, 2, C)`; an odd last row or column is left out, as in every framework."""
    height, width, channels = x.shape
    return x[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, channels)


def _max_pool(x: Exact) -> Exact:
    pooled: Exact = _windows(x).max(axis=(1, 3))
    return pooled


def _average_pool(x: Exact) -> Exact:
    pooled: Exact = _windows(x).mean(axis=(1, 3)) * AVERAGE_GAIN
    return pooled


def _numeric_gradient(total: Callable[[Exact], float], point: Exact, step: float) -> Exact:
    gradient = np.zeros_like(point)
    for index in np.ndindex(point.shape):
        unit = np.zeros_like(point)
        unit[index] = step
        gradient[index] = (total(point + unit) - total(point - unit)) / (2 * step)
    return gradient
