"""VGG-16 and VGG-19 on PyTorch.

Layout: images `(H, W, 3)` become `channels_last` NCHW views, features go out as `(H_l, W_l, C_l)` views, no copy either
way. Value range: the network's own preprocessing is folded into the first convolution, so pixels only lose their mean.
Padding: zeros, as VGG was trained, or the edge mirrored or repeated. Weights: any `nst.vgg.network.Network`, whatever
its origin and widths.

Precision: in bfloat16, convolutions, activations and the gradients between them are; the image, its gradient and all
that losses compute are float32 (`namespace`). float32 is float32 on a GPU too, never TensorFloat-32.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from nst.geometry import require_size
from nst.protocols import Array, Evaluation, Objective, Pixels, Tensor
from nst.vgg import Network, select
from nst_torch import chain, memory
from nst_torch.chain import AveragePool, Convolution, Layer, MaxPool, PaddedConvolution, ReLU
from nst_torch.device import choose
from nst_torch.namespace import Torch
from nst_torch.precision import choose as choose_precision
from nst_torch.precision import exact
from nst_torch.torch_import import torch


class VGG:
    """A `nst.protocols.FeatureBackend`."""

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
        self.xp: Any = Torch(self.device)
        self.precision = choose_precision(precision, self.device)
        self._dtype = getattr(torch, self.precision)
        self._mean = torch.tensor(network.mean(), device=self.device)
        self._layers = dict(self._chain(network, POOLINGS[pooling], PADDINGS[padding]))
        if self.device == "cpu":
            memory.keep()

    def _chain(
        self, network: Network, pool: Layer, convolution: Callable[[Tensor, Tensor], Layer]
    ) -> Iterator[tuple[str, Layer]]:
        """Every layer in network order."""
        block = "1"
        for name, weight, bias in network.folded():
            place = name.removeprefix("conv")
            if place[0] != block:
                yield f"pool{block}", pool
                block = place[0]
            kernel = torch.from_numpy(weight).to(self.device, self._dtype, memory_format=torch.channels_last)
            yield name, convolution(kernel, torch.from_numpy(bias).to(self.device, self._dtype))
            yield f"relu{place}", ReLU()
        yield f"pool{block}", pool

    def asarray(self, pixels: Pixels) -> Array:
        """`(H, W, 3)` float32 on the device."""
        return torch.tensor(pixels, dtype=torch.float32, device=self.device)

    def to_numpy(self, image: Array) -> Pixels:
        """`(H, W, 3)` float32 on the host, clipped to 0..1."""
        return self.to_host(image).clip(0, 1)

    def to_host(self, array: Array) -> Pixels:
        """Any array, float32 on the host, a copy."""
        return np.array(torch.as_tensor(array).detach().cpu().float().numpy(), np.float32, order="C")

    @memory.memory_errors()
    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Activations `(H_l, W_l, C_l)` by name; the network runs once, to the deepest of `layers`."""
        require_size(image.shape, select(layers))
        with exact(self.device):
            x = (image - self._mean).to(self._dtype).permute(2, 0, 1)[None]
            return chain.features(x, self._layers, layers)

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """Return the objective on torch tensors of this device, or on NumPy arrays."""

        @memory.memory_errors()
        def objective(image: Array, *parameters: Array) -> Evaluation:
            leaf = torch.as_tensor(image, dtype=torch.float32, device=self.device).detach().requires_grad_()
            with exact(self.device):
                terms = loss(leaf, *(torch.as_tensor(parameter, device=self.device) for parameter in parameters))
                values = torch.stack(list(terms.values()))
                (gradient,) = torch.autograd.grad(values.sum(), leaf)
            named = dict(zip(terms, values.tolist(), strict=True))  # the one transfer from a GPU
            kind = gradient.cpu().numpy() if isinstance(image, np.ndarray) else gradient
            return Evaluation(sum(named.values()), named, kind)

        return objective

    def peak_memory(self) -> int | None:
        """Bytes of GPU memory at their most; None on the CPU."""
        return torch.cuda.max_memory_allocated() if self.device.startswith("cuda") else None

    def free_memory(self) -> int | None:
        """Bytes of GPU memory that this process can have in all; None on the CPU."""
        if not self.device.startswith("cuda"):
            return None
        return int(torch.cuda.mem_get_info()[0]) + torch.cuda.memory_reserved()

    memory_errors = staticmethod(memory.memory_errors)

    def empty_cache(self) -> None:
        """Give back what an evaluation that ran out of memory has left behind."""
        memory.empty_cache(self.device)


POOLINGS: Mapping[str, Layer] = {"max": MaxPool(), "average": AveragePool()}
PADDINGS: Mapping[str, Callable[[Tensor, Tensor], Layer]] = {
    "zero": Convolution,
    "reflect": partial(PaddedConvolution, mode="reflect"),
    "replicate": partial(PaddedConvolution, mode="replicate"),
}
