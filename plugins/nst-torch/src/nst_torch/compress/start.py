"""A slim network made earlier, as a start: which of the teacher's channels its own stand for, and how large."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch

from nst.protocols import Tensor
from nst_torch.compress.stack import Stack

SPREAD = 0.7  # of a layer's scales, as a logarithm


@dataclass(frozen=True)
class Known:
    """One convolution of the start: its k-th output is about `scales[k]` times the teacher's channel `channels[k]`."""

    channels: Tensor
    scales: Tensor
    kernel: Tensor
    bias: Tensor


@torch.no_grad()
def identify(teacher: Stack, start: Stack, pictures: Tensor) -> dict[str, Known]:
    """Each output of the start beside the teacher's channel most like it, each channel taken once."""
    matches = {}
    for (name, theirs), (_, ours) in zip(teacher.relus(pictures), start.relus(pictures), strict=False):
        full, slim = (kernel.float().permute(1, 0, 2, 3).flatten(1) for kernel in (theirs, ours))
        products, energy = slim @ full.T, slim.square().sum(1).clamp(min=1e-30)
        channels = _matched(products / torch.outer(energy.sqrt(), full.norm(dim=1).clamp(min=1e-30)))
        # A student trained to the least squared error is smaller than its target by just what this undoes.
        scales = energy / products.gather(1, channels[:, None])[:, 0].clamp(min=1e-30)
        usual = float(scales.median())
        # A channel that hardly shows in these pictures tells no scale: it has that of the others.
        matches[name] = Known(
            channels, torch.where((scales / usual).log().abs() < SPREAD, scales, usual), *start.convs[name]
        )
    return matches


def _matched(likeness: Tensor) -> Tensor:
    """For each row a column of its own, the likest pairs first."""
    left, matched = likeness.clone(), torch.zeros(len(likeness), dtype=torch.long)
    for _ in range(len(likeness)):
        row, column = divmod(int(left.argmax()), left.shape[1])
        matched[row] = column
        left[row], left[:, column] = -2, -2
    return matched


def carried(known: Mapping[str, Known], before: str, name: str, inputs: Tensor, gain: float) -> Tensor | None:
    """Return the matrix `(out, 9 in + 1)` of a start's convolution for a student whose inputs are `gain` times those.

    `inputs` are the channels the student's inputs stand for; those the start does not have get zeros. Outputs are as
    large as the teacher's. None where the start has no such layer, or the student not all of its inputs.
    """
    if name not in known or (before and not set(known[before].channels.tolist()) <= set(inputs.tolist())):
        return None
    layer = known[name]
    kernel = layer.kernel / layer.scales[:, None, None, None]
    if before:
        place_of = {int(channel): place for place, channel in enumerate(known[before].channels)}
        places = [place_of.get(int(channel), -1) for channel in inputs]
        spread = kernel * known[before].scales[:, None, None] / gain
        kernel = torch.cat([spread, torch.zeros_like(spread[:, :1])], 1)[:, places]
    return torch.cat([kernel.flatten(1), (layer.bias / layer.scales)[:, None]], 1)
