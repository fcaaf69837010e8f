"""The network as a chain of layers, and the chain rule through it written out.

It calls the functions that autograd itself calls, on any device, and computes the same. What autograd cannot know it
does not do: kernels have no gradient, and a gradient between two layers is nobody else's and may be written over. An
activation is let go as soon as the way back has passed it. There are no second derivatives.

Measured at 512×512, float32, in processor time: against autograd, an evaluation takes 0.73 of the time with the compact
network and 0.88 with VGG-19; with memory kept between evaluations too (`memory.keep`), 0.53 and 0.70.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any, Protocol

import torch.nn.functional as F  # noqa: N812
from torch.autograd.function import once_differentiable
from torch.nn.grad import conv2d_input

from nst.protocols import Tensor
from nst.vgg import AVERAGE_GAIN
from nst_torch.torch_import import torch

aten = torch.ops.aten


class Layer(Protocol):
    """One link. Activations and gradients are `(1, C, H, W)` in `channels_last` memory."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the activation, and the values that `backward` needs."""

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Return the gradient at the input; the gradient at the output may be overwritten."""


class Convolution:
    """3×3, zeros around: `kernel` `(out, in, 3, 3)` in `channels_last` memory, `bias` `(out,)`."""

    def __init__(self, kernel: Tensor, bias: Tensor) -> None:
        self._kernel = kernel
        self._bias = bias

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the convolution, and its input's shape."""
        return F.conv2d(x, self._kernel, self._bias, padding=1), x.shape

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Return the gradient at the input; the kernel is constant."""
        return conv2d_input(known, self._kernel, gradient, padding=1)  # type: ignore[no-untyped-call]


class PaddedConvolution(Convolution):
    """3×3, around the input its own edge: mirrored with `mode` "reflect", repeated with "replicate".

    A mirror needs two positions each way; where there is one, it is repeated.
    """

    def __init__(self, kernel: Tensor, bias: Tensor, mode: str) -> None:
        super().__init__(kernel, bias)
        self._mode = mode

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the convolution, its padded input's shape, and the offset of the pixels copied to the border."""
        mode = self._mode if min(x.shape[2:]) > 1 else "replicate"
        padded = F.pad(x, (1, 1, 1, 1), mode=mode)
        return F.conv2d(padded, self._kernel, self._bias), (padded.shape, 2 if mode == "reflect" else 1)

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Return the gradient at the input, with the border's gradient added to the pixels it copies.

        PyTorch's own way back adds in no certain order on a GPU; this one always gives the same.
        """
        shape, inward = known
        padded = conv2d_input(shape, self._kernel, gradient)  # type: ignore[no-untyped-call]
        for axis in (2, 3):
            for border, origin in ((0, inward), (-1, -1 - inward)):
                padded.select(axis, origin).add_(padded.select(axis, border))
        return padded[:, :, 1:-1, 1:-1].contiguous(memory_format=torch.channels_last)


class ReLU:
    """In place, forward and back: a convolution's own output is kept nowhere."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Apply the ReLU to `x` in place."""
        y = x.relu_()
        return y, y

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Zero the gradient in place where the activation is not positive."""
        return aten.threshold_backward.grad_input(gradient, known, 0, grad_input=gradient)


class MaxPool:
    """2×2; an odd last row or column is dropped."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the maximum of each window."""
        return F.max_pool2d(x, 2), x

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Each gradient at the place of the largest, 0 elsewhere; to find it again takes less than to keep it."""
        _, places = F.max_pool2d(known, 2, return_indices=True)
        return aten.max_pool2d_with_indices_backward(gradient, known, [2, 2], [2, 2], [0, 0], [1, 1], False, places)


class AveragePool:
    """2×2, times `AVERAGE_GAIN`; an odd last row or column is dropped."""

    def forward(self, x: Tensor) -> tuple[Tensor, Any]:
        """Return the mean of each window, times the gain."""
        return F.avg_pool2d(x, 2).mul_(AVERAGE_GAIN), x

    def backward(self, gradient: Tensor, known: Any) -> Tensor:
        """Each gradient shared out over its window."""
        shared = gradient.mul_(AVERAGE_GAIN)
        return aten.avg_pool2d_backward(shared, known, [2, 2], [2, 2], [0, 0], False, True, None)


def features(x: Tensor, layers: Mapping[str, Layer], requested: Collection[str]) -> dict[str, Tensor]:
    """Return the activations `requested`, by name, as `(H_l, W_l, C_l)` views; `x` is `(1, 3, H, W)`.

    Nothing deeper than the deepest of them is computed.
    """
    names = list(layers)
    present = [name for name in names if name in requested]
    if not present:
        return {}
    needed = {name: layers[name] for name in names[: names.index(present[-1]) + 1]}
    activations = _Chain.apply(x, needed, set(present))  # type: ignore[no-untyped-call]
    return dict(zip(present, activations, strict=True))


class _Chain(torch.autograd.Function):
    """Return the activations `requested` of all `layers`, from `x`."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, layers: Mapping[str, Layer], requested: Collection[str]) -> tuple[Tensor, ...]:
        ctx.set_materialize_grads(False)
        ctx.steps = []
        outputs: list[Tensor] = []
        for name, layer in layers.items():
            x, known = layer.forward(x)
            ctx.steps.append((layer, known if ctx.needs_input_grad[0] else None, name in requested))
            if name in requested:
                own = x.clone() if isinstance(layer, Convolution) else x  # the ReLU will write over it
                outputs.append(own.squeeze(0).permute(1, 2, 0))
        return tuple(outputs)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *gradients: Tensor | None) -> tuple[Tensor | None, None, None]:
        if ctx.steps is None:
            raise RuntimeError("the activations are let go of: compute the features again to differentiate them again")
        steps, ctx.steps = ctx.steps, None
        incoming, gradient = list(gradients), None
        while steps:  # each let go of as soon as it is passed
            layer, known, requested = steps.pop()
            gradient = _joined(gradient, incoming.pop()) if requested else gradient
            if gradient is not None:
                gradient = layer.backward(gradient, known)
        return gradient, None, None


def _joined(gradient: Tensor | None, tapped: Tensor | None) -> Tensor | None:
    """Add a loss's gradient to the deeper layers' gradient, which is overwritten; the loss's is not."""
    if tapped is None:
        return gradient
    image = tapped.permute(2, 0, 1).unsqueeze(0)
    return image.clone(memory_format=torch.channels_last) if gradient is None else gradient.add_(image)
