"""A convolution that gives given outputs from given inputs as nearly as any: ridge regression in closed form."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812

from nst.protocols import Tensor

RIDGE = 1e-4  # of the mean energy of an input
DAMPING = 3e-3  # likewise


class Regression:
    """The normal equations of a 3×3 convolution, gathered batch by batch in float64."""

    def __init__(self, inputs: int, outputs: int) -> None:
        self._inner = torch.zeros(9 * inputs + 1, 9 * inputs + 1, dtype=torch.float64)
        self._outer = torch.zeros(9 * inputs + 1, outputs, dtype=torch.float64)

    def add(self, x: Tensor, y: Tensor, places: Tensor) -> None:
        """Inputs `(N, in, H, W)`, outputs `(N, out, H, W)`; `places` are the positions to use, of `N * H * W`."""
        padded = F.pad(x, (1, 1, 1, 1)).permute(0, 2, 3, 1)
        patches = padded.unfold(1, 3, 1).unfold(2, 3, 1)  # (N, H, W, in, 3, 3), a view
        image, row, column = torch.unravel_index(places, (y.shape[0], *y.shape[2:]))
        rows = patches[image, row, column].flatten(1)
        rows = torch.cat([rows, torch.ones(len(rows), 1)], 1)
        # One batch in float32 loses nothing that the ridge would not hide.
        self._inner += (rows.T @ rows).double()
        self._outer += (rows.T @ y.permute(0, 2, 3, 1)[image, row, column]).double()

    def solve(self) -> tuple[Tensor, Tensor]:
        """The kernel `(out, in, 3, 3)` and the bias `(out,)`, which alone goes unpenalized."""
        energy = self._inner.diagonal()[:-1].mean().clamp(min=1e-30)
        penalty = torch.full((len(self._inner),), RIDGE * float(energy), dtype=torch.float64)
        penalty[-1] = 1e-12 * float(self._inner[-1, -1])
        solution = torch.linalg.solve(self._inner + penalty.diag(), self._outer).float()
        return unpacked(solution.T)

    def root(self) -> Tensor:
        """Lower triangular `(9 in + 1, 9 in + 1)`: its inverse makes inputs uncorrelated and of energy 1."""
        mean = self._inner / self._inner[-1, -1]
        damping = DAMPING * float(mean.diagonal()[:-1].mean()) + 1e-12
        return torch.linalg.cholesky(mean + damping * torch.eye(len(mean), dtype=mean.dtype)).float()


def packed(kernel: Tensor, bias: Tensor) -> Tensor:
    """`(out, 9 in + 1)`: a convolution as one matrix, its bias the last column."""
    return torch.cat([kernel.flatten(1), bias[:, None]], 1)


def unpacked(matrix: Tensor) -> tuple[Tensor, Tensor]:
    """The kernel `(out, in, 3, 3)` and the bias `(out,)` of such a matrix."""
    kernel = matrix[:, :-1].reshape(len(matrix), -1, 3, 3).contiguous(memory_format=torch.channels_last)
    return kernel, matrix[:, -1].contiguous()
