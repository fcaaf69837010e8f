"""A fixed filter bank in place of a trained network: colors, and edges in four directions, at three scales.

Layout: `(H, W, C)` throughout. Value range: pixels as they are, 0..1. Padding: edges repeated, or zeros. Weights:
none. autograd differentiates NumPy; a backend on another framework has the same methods, with that framework's arrays
and gradients.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import make_vjp
from nst.geometry import require_size
from nst.protocols import Array, Evaluation, Objective, Pixels, Tensor

from nst_example import BACKEND

LAYERS = BACKEND.layer_names
POOLINGS = {"max": anp.max, "average": anp.mean}
PADDINGS = {"replicate": 1.0, "zero": 0.0}  # what an edge is multiplied by to be what lies beyond it


def _sort(x: Tensor, axis: int = -1) -> Tensor:
    """Autograd's own sort has a gradient for vectors only."""
    indices = list(np.indices(x.shape, sparse=True))
    indices[axis] = anp.argsort(x, axis=axis)
    return x[tuple(indices)]


class FilterBank:
    """A `nst.protocols.FeatureBackend`; `contrast` is the weight of edges beside colors."""

    xp: Any = SimpleNamespace(
        mean=anp.mean,
        sum=anp.sum,
        square=anp.square,
        sqrt=anp.sqrt,
        abs=anp.abs,
        maximum=anp.maximum,
        reshape=anp.reshape,
        permute_dims=anp.transpose,
        matmul=anp.matmul,
        concat=anp.concatenate,
        eye=lambda n: np.eye(n, dtype=np.float32),
        sort=_sort,
    )
    device = "cpu"
    precision = "float32"
    notes: Sequence[str] = ()

    def __init__(
        self,
        weights: None,
        *,
        device: str = "auto",
        pooling: str = "max",
        precision: str = "auto",
        padding: str = "replicate",
        contrast: float = 4.0,
    ) -> None:
        self._pool = POOLINGS[pooling]
        self._edge = PADDINGS[padding]
        self._contrast = contrast

    def asarray(self, pixels: Pixels) -> Array:
        """`(H, W, 3)` float32: a copy."""
        return np.array(pixels, np.float32)

    def to_numpy(self, image: Array) -> Pixels:
        """`(H, W, 3)` float32, clipped to 0..1."""
        return np.ascontiguousarray(np.clip(image, 0, 1), np.float32)

    def to_host(self, array: Array) -> Pixels:
        """Any array as it is, float32."""
        return np.array(array, np.float32)

    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Responses `(H_l, W_l, 27)` by name, to the deepest of `layers`; each scale is half the one before.

        Raises `UserError` for an image that leaves nothing there.
        """
        require_size(image.shape, BACKEND.select(layers))
        features: dict[str, Tensor] = {}
        for name in LAYERS[: max(map(LAYERS.index, layers), default=-1) + 1]:
            if name != LAYERS[0]:
                image = self._halved(image)
            if name in layers:
                features[name] = self._responses(image)
        return features

    def _responses(self, x: Tensor) -> Tensor:
        """Return the colors, then their differences down, to the right and along both diagonals, signs apart."""
        tall = anp.concatenate([self._edge * x[:1], x, self._edge * x[-1:]])
        wide = anp.concatenate([self._edge * x[:, :1], x, self._edge * x[:, -1:]], axis=1)
        down, right = tall[2:] - tall[:-2], wide[:, 2:] - wide[:, :-2]
        edges = self._contrast * anp.concatenate([down, right, down + right, down - right], axis=-1)
        return anp.maximum(anp.concatenate([x, edges, -edges], axis=-1), 0)

    def _halved(self, x: Tensor) -> Tensor:
        """Windows of 2×2 pooled; an odd last row or column is left out, as VGG does."""
        height, width = x.shape[0] // 2, x.shape[1] // 2
        return self._pool(anp.reshape(x[: 2 * height, : 2 * width], (height, 2, width, 2, 3)), axis=(1, 3))

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """Return the objective on NumPy arrays: the gradient of a sum is the terms' gradients, each weighted by one."""

        def objective(image: Array, *parameters: Array) -> Evaluation:
            names: list[str] = []

            def values(x: Tensor) -> Tensor:
                terms = loss(x, *parameters)
                names.extend(terms)
                return anp.array(list(terms.values()))

            pull, numbers = make_vjp(values)(np.asarray(image, np.float32))
            terms = dict(zip(names, numbers.tolist(), strict=True))
            return Evaluation(sum(terms.values()), terms, pull(np.ones_like(numbers)))

        return objective

    def peak_memory(self) -> int | None:
        """None: the process's own."""
        return None
