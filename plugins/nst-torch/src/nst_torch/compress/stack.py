"""A VGG's convolutions on batches `(N, 3, H, W)` of pixels, RGB 0..1: the teacher's fixed, the student's to be trained.

`nst_torch.vgg.VGG` is for one picture and its gradient; this one is for many pictures and the gradient of the weights.
Memory is `channels_last`, pooling is max, padding zeros, as VGG was trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812

from nst.protocols import Tensor
from nst.vgg import Network


@dataclass(frozen=True)
class Stack:
    """Kernels `(out, in, 3, 3)` and biases `(out,)` by name, in order, for RGB 0..1 less `mean` `(3,)`."""

    mean: Tensor
    convs: Mapping[str, tuple[Tensor, Tensor]]

    def relus(self, pixels: Tensor) -> Iterator[tuple[str, Tensor]]:
        """`conv1_1` … with the activation `(N, C_l, H_l, W_l)` after its ReLU, in the type of the kernels."""
        first = next(iter(self.convs.values()))[0]
        x = (pixels - self.mean[:, None, None]).to(first.dtype, memory_format=torch.channels_last)
        return self._relus(x, tuple(self.convs))

    def deeper(self, activation: Tensor, than: str) -> Iterator[tuple[str, Tensor]]:
        """Yield the activations of `relus` after the layer `than`, from that layer's activation."""
        return self._relus(activation, [name for name in self.convs if name > than])

    def _relus(self, x: Tensor, names: Sequence[str]) -> Iterator[tuple[str, Tensor]]:
        for name in names:
            x = F.relu(convolved(name, x, self.convs[name]))
            yield name, x

    def detached(self) -> Stack:
        """Return the same network without gradients."""
        return Stack(self.mean, {name: (kernel.detach(), bias.detach()) for name, (kernel, bias) in self.convs.items()})


def convolved(name: str, x: Tensor, conv: tuple[Tensor, Tensor]) -> Tensor:
    """Apply the convolution `name` to the activation before it; the first of a block pools it."""
    pooled = F.max_pool2d(x, 2) if name.endswith("_1") and name != "conv1_1" else x
    return F.conv2d(pooled, *conv, padding=1)


def fixed(network: Network, dtype: Any = torch.float32) -> Stack:
    """Return a stack with the network's own weights."""
    convs = {name: (_kernel(weight, dtype), torch.tensor(bias, dtype=dtype)) for name, weight, bias in network.folded()}
    return Stack(torch.tensor(network.mean()), convs)


def _kernel(weight: Any, dtype: Any) -> Tensor:
    return torch.tensor(weight, dtype=dtype).contiguous(memory_format=torch.channels_last)
