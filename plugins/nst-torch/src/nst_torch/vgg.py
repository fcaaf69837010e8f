"""VGG-16 and VGG-19 on PyTorch.

Layout: images `(H, W, 3)` become `channels_last` NCHW views, features go out as `(H_l, W_l, C_l)` views, no copy
either way. Value range: the network's own preprocessing is folded into the first convolution, so pixels only lose
their mean. Padding: zeros, as VGG was trained. ReLUs are out of place, so `conv` taps are what they say. Weights: any
`nst.network.Network`, whatever its origin and widths.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from nst.architectures import AVERAGE_GAIN
from nst.layers import require_size
from nst.network import Network
from nst.protocols import Array, Evaluation, Objective, Pixels, Tensor
from nst_torch import memory
from nst_torch.device import choose
from nst_torch.namespace import Torch


class VGG:
    """A `nst.protocols.FeatureBackend`."""

    precision = "float32"

    def __init__(self, network: Network, *, device: str = "auto", pooling: str = "max") -> None:
        self.device, self.notes = choose(device)
        self.xp: Any = Torch(self.device)
        self._pool = POOLINGS[pooling]
        self._mean = torch.tensor(network.mean(), device=self.device)
        self._convs = {name: self._conv(weight, bias) for name, weight, bias in network.folded()}

    def _conv(self, weight: np.ndarray[Any, Any], bias: np.ndarray[Any, Any]) -> tuple[Tensor, Tensor]:
        kernel = torch.from_numpy(weight).to(self.device, memory_format=torch.channels_last)
        return kernel, torch.from_numpy(bias).to(self.device)

    def asarray(self, pixels: Pixels) -> Array:
        """`(H, W, 3)` float32 on the device."""
        return torch.tensor(pixels, dtype=torch.float32, device=self.device)

    def to_numpy(self, image: Array) -> Pixels:
        """`(H, W, 3)` float32 on the host, clipped to 0..1."""
        return self.to_host(image).clip(0, 1)

    def to_host(self, array: Array) -> Pixels:
        """Any array, float32 on the host, a copy."""
        return np.array(torch.as_tensor(array).detach().cpu().numpy(), np.float32, order="C")

    @memory.told()
    def features(self, image: Tensor, layers: Sequence[str]) -> Mapping[str, Tensor]:
        """Activations `(H_l, W_l, C_l)` by name; the network runs once, to the deepest of `layers`."""
        require_size(image.shape, layers)
        wanted = set(layers)
        found: dict[str, Tensor] = {}
        for name, activation in self._run(image):
            if name in wanted:
                found[name] = activation[0].permute(1, 2, 0)
            if len(found) == len(wanted):
                break
        return found

    def _run(self, image: Tensor) -> Iterator[tuple[str, Tensor]]:
        """Every layer's activation in turn, NCHW in `channels_last` memory."""
        x = (image - self._mean).permute(2, 0, 1)[None]
        block = "1"
        for name, (weight, bias) in self._convs.items():
            place = name.removeprefix("conv")
            if place[0] != block:
                x = self._pool(x)
                yield f"pool{block}", x
                block = place[0]
            x = F.conv2d(x, weight, bias, padding=1)
            yield name, x
            x = F.relu(x)
            yield f"relu{place}", x
        yield f"pool{block}", self._pool(x)

    def value_and_grad(self, loss: Callable[..., Mapping[str, Tensor]]) -> Objective:
        """The objective on torch tensors of this device, or on NumPy arrays."""

        @memory.told()
        def objective(image: Array, *parameters: Array) -> Evaluation:
            leaf = torch.as_tensor(image, dtype=torch.float32, device=self.device).detach().requires_grad_()
            terms = loss(leaf, *(torch.as_tensor(each, device=self.device) for each in parameters))
            values = torch.stack(list(terms.values()))
            (gradient,) = torch.autograd.grad(values.sum(), leaf)
            named = dict(zip(terms, values.tolist(), strict=True))
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

    def let_go(self) -> None:
        """Give back what an evaluation that ran out of memory has left behind."""
        memory.let_go(self.device)


def _max_pool(x: Tensor) -> Tensor:
    return F.max_pool2d(x, 2)


def _average_pool(x: Tensor) -> Tensor:
    return F.avg_pool2d(x, 2) * AVERAGE_GAIN


POOLINGS = {"max": _max_pool, "average": _average_pool}
