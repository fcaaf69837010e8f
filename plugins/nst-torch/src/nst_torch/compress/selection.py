"""Which channels of a layer stand best for all of them."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from nst.protocols import Tensor

TINY = 1e-9  # of the largest energy: what is left of a channel that the chosen ones explain


def choose(gram: Tensor, count: int, first: Sequence[int] = ()) -> tuple[list[int], float]:
    """Choose the `count` channels whose span explains most of a layer's energy, and return their share of it, 0..1.

    `gram` `(C, C)` holds the channels' inner products over many positions. Greedy column subset selection (Farahat,
    Ghodsi & Kamel 2011): each time the channel that takes most energy from the residual, which is then projected out.
    The channels `first` are chosen first.
    """
    residual = gram.double().clone()
    total, floor = float(residual.trace()), TINY * float(residual.diagonal().max())
    chosen: list[int] = []
    for turn in range(count):
        energy = residual.diagonal()
        gain = torch.where(energy > floor, residual.square().sum(0) / energy.clamp(min=floor), energy - energy)
        gain[chosen] = -torch.inf
        best = first[turn] if turn < len(first) else int(gain.argmax())
        chosen.append(best)
        if energy[best] > floor:
            column = residual[:, best]
            residual = residual - torch.outer(column, column) / energy[best]
    return sorted(chosen), 1 - max(0.0, float(residual.trace())) / max(total, 1e-30)


def explained(gram: Tensor, channels: Tensor) -> float:
    """Return the share of a layer's energy, 0..1, in the span of the given channels; `gram` `(C, C)` as in `choose`."""
    inner, outer = gram[channels][:, channels].double(), gram[channels].double()
    ridge = TINY * torch.eye(len(inner), dtype=inner.dtype) * inner.diagonal().mean().clamp(min=1e-30)
    captured = (outer * torch.linalg.solve(inner + ridge, outer)).sum()
    return min(1.0, float(captured / gram.double().trace().clamp(min=1e-30)))
