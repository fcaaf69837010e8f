"""A convolution that gives given outputs from given inputs as nearly as any: ridge regression in closed form."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812

from nst.protocols import Tensor

RIDGE = 3e-4  # of the mean energy of an input
DAMPING = 3e-3  # likewise


class Regression:
    """The inputs of a 3×3 convolution at some thousand places, `rows` `(places, 9 in + 1)`, and what they are worth."""

    def __init__(self, rows: Tensor) -> None:
        self.rows = rows
        self._inner = (rows.T @ rows).double() / len(rows)
        self._energy = float(self._inner.diagonal()[:-1].mean()) + 1e-30

    def solve(self, outputs: Tensor) -> Tensor:
        """Solve for the matrix `(out, 9 in + 1)` of outputs `(places, out)`; its last column, the bias, is free."""
        penalty = torch.full((len(self._inner),), RIDGE * self._energy, dtype=torch.float64)
        penalty[-1] = 1e-12
        outer = (self.rows.T @ outputs).double() / len(self.rows)
        return torch.linalg.solve(self._inner + penalty.diag(), outer).float().T

    def root(self) -> Tensor:
        """Lower triangular `(9 in + 1, 9 in + 1)`: its inverse makes inputs uncorrelated and of energy 1."""
        damping = (DAMPING * self._energy + 1e-12) * torch.eye(len(self._inner), dtype=torch.float64)
        return torch.linalg.cholesky(self._inner + damping).float()


def sampled(x: Tensor, places: Tensor) -> Tensor:
    """`(len(places), 9 in + 1)`: the 3×3 surroundings in `x` `(N, in, H, W)` of positions of `N * H * W`, and a 1."""
    padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
    patches = padded.unfold(1, 3, 1).unfold(2, 3, 1)  # (N, H, W, in, 3, 3), a view
    image, row, column = torch.unravel_index(places, (x.shape[0], *x.shape[2:]))
    return F.pad(patches[image, row, column].flatten(1), (0, 1), value=1.0)


def packed(kernel: Tensor, bias: Tensor) -> Tensor:
    """`(out, 9 in + 1)`: a convolution as one matrix, its bias the last column."""
    return torch.cat([kernel.flatten(1), bias[:, None]], 1)


def unpacked(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """Return the kernel `(out, in, 3, 3)` and the bias `(out,)` of a matrix."""
    kernel = matrix[:, :-1].reshape(len(matrix), -1, 3, 3).contiguous(memory_format=torch.channels_last)
    return kernel, matrix[:, -1].contiguous()
