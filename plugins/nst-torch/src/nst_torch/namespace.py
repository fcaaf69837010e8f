"""`nst.protocols.Namespace` on PyTorch: array_api_compat's, on the device that computes, with Gram matrices made fast.

A Gram matrix is a product of features with themselves, so its gradient is one product where autograd takes two and
adds them. oneDNN computes it at twice the speed of MKL, which serves AMD processors their older instructions.
"""

from __future__ import annotations

from typing import Any

import array_api_compat.torch
import torch
from torch.autograd.function import once_differentiable

from nst.protocols import Tensor

xp: Any = array_api_compat.torch


class Torch:
    """array_api_compat's functions, but for what is made of nothing, and for a product of a matrix with itself."""

    def __init__(self, device: str) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(xp, name)

    def eye(self, n: int, /) -> Tensor:
        """`(n, n)` float32, on the device."""
        return torch.eye(n, device=self._device)

    def matmul(self, x: Tensor, y: Tensor, /) -> Tensor:
        """The product of matrices; of a matrix's transpose with itself, the fast one."""
        return _Gram.apply(y) if _is_transpose(x, y) else xp.matmul(x, y)  # type: ignore[no-untyped-call]


def _is_transpose(x: Tensor, y: Tensor) -> bool:
    """Whether `x` is `y.T`, the very same memory, and a gradient wanted of both or of neither."""
    views = x.ndim == y.ndim == 2 and x.data_ptr() == y.data_ptr()
    return views and (x.shape, x.stride(), x.requires_grad) == (y.shape[::-1], y.stride()[::-1], y.requires_grad)


class _Gram(torch.autograd.Function):
    """`rows.T @ rows` of `(N, C)`: `(C, C)`."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor) -> Tensor:
        ctx.save_for_backward(rows)
        return rows.T @ rows

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (rows,) = ctx.saved_tensors
        return _product(rows, gradient + gradient.T)


def _product(rows: Tensor, symmetric: Tensor) -> Tensor:
    """`rows @ symmetric`, `(N, C)` by a symmetric `(C, C)`."""
    if rows.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return torch.ops.mkldnn._linear_pointwise(rows, symmetric, None, "none", [], "")
    return rows @ symmetric
