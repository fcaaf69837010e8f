"""`nst.protocols.Namespace` on PyTorch: array_api_compat's, in float32, with Gram matrices made fast.

Features may be bfloat16: what is computed of them is float32, apart from `+ - * /` between two of them.

A Gram matrix is a product of features with themselves, so its gradient is one product where autograd takes two and
adds them. oneDNN computes it at twice the speed of MKL, which serves AMD processors their older instructions.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.torch
from torch.autograd.function import once_differentiable

from nst.protocols import Tensor
from nst_torch.torch_import import torch

xp: Any = array_api_compat.torch
PARTS = 16


class Torch:
    """array_api_compat's functions; sums are float32, and what is made of nothing is on the device."""

    def __init__(self, device: str) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(xp, name)

    def mean(self, x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Return the mean, in float32."""
        return xp.mean(_float32(x), axis=axis, keepdims=keepdims)

    def sum(self, x: Tensor, /, *, axis: Any = None, keepdims: bool = False) -> Tensor:
        """Return the sum, in float32."""
        return xp.sum(_float32(x), axis=axis, keepdims=keepdims)

    def square(self, x: Tensor, /) -> Tensor:
        """Return the square, in float32."""
        return xp.square(_float32(x))

    def sqrt(self, x: Tensor, /) -> Tensor:
        """Return the square root, in float32."""
        return xp.sqrt(_float32(x))

    def abs(self, x: Tensor, /) -> Tensor:
        """Return the absolute value, in float32."""
        return xp.abs(_float32(x))

    def eye(self, n: int, /) -> Tensor:
        """`(n, n)` float32."""
        return torch.eye(n, device=self._device)

    def matmul(self, x: Tensor, y: Tensor, /) -> Tensor:
        """Return the product, in float32; a Gram product takes the fast path."""
        if _is_transpose(x, y):
            return _Gram.apply(y)  # type: ignore[no-untyped-call]
        return xp.matmul(_float32(x), _float32(y))


def _float32(x: Tensor) -> Tensor:
    return x.float() if x.dtype == torch.bfloat16 else x


def _is_transpose(x: Tensor, y: Tensor) -> bool:
    """Whether `x` is `y.T`, the very same memory, and a gradient wanted of both or of neither."""
    views = x.ndim == y.ndim == 2 and x.data_ptr() == y.data_ptr()
    return views and (x.shape, x.stride(), x.requires_grad) == (y.shape[::-1], y.stride()[::-1], y.requires_grad)


class _Gram(torch.autograd.Function):
    """`rows.T @ rows` of `(N, C)`: `(C, C)`, float32."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return _outer(rows)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        return _product(rows, (gradient + gradient.T).to(rows.dtype))


def _outer(rows: Tensor) -> Tensor:
    """`rows.T @ rows` in float32. PyTorch rounds products of bfloat16 to bfloat16: here only those of parts."""
    if rows.dtype != torch.bfloat16:
        return rows.T @ rows
    return torch.stack([part.T @ part for part in rows.chunk(PARTS)]).sum(0, dtype=torch.float32)


def _product(rows: Tensor, symmetric: Tensor) -> Tensor:
    """`rows @ symmetric`, `(N, C)` by a symmetric `(C, C)`."""
    if rows.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return torch.ops.mkldnn._linear_pointwise(rows, symmetric, None, "none", [], "")
    return rows @ symmetric
