"""`nst.protocols.Namespace` on PyTorch: the array API's, with new tensors on the device that computes."""

from __future__ import annotations

from typing import Any

import array_api_compat.torch as xp
import torch

from nst.protocols import Tensor


class Torch:
    """array_api_compat's functions, but for those that make a tensor of nothing."""

    def __init__(self, device: str) -> None:
        self._device = device

    def __getattr__(self, name: str) -> Any:
        return getattr(xp, name)

    def eye(self, n: int, /) -> Tensor:
        """`(n, n)` float32, on the device."""
        return torch.eye(n, device=self._device)
