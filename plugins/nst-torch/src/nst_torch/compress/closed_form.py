"""A slim network without any training: layer by layer, the channels that stand for all, and their regression.

The student's k-th convolution sees what the student's earlier ones give, not what the teacher's give: each layer makes
up for the errors before it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

from nst.preprocessing import TORCHVISION
from nst.protocols import Tensor
from nst_torch.compress.loss import gram
from nst_torch.compress.regression import Regression
from nst_torch.compress.selection import choose
from nst_torch.compress.stack import Stack, convolved

CHUNK = 8  # pictures at a time
PLACES = 40_000  # positions of a layer that its regression uses


@dataclass(frozen=True)
class Fit:
    """One convolution of the student: the teacher's `channels` it stands for, times `scale`, and how far they reach.

    `scale` makes the chosen activations' root mean square 1: sizes that train well and suit float16. `explained` is the
    share of the layer's energy, 0..1, in the span of the chosen channels; `root` is `Regression.root`'s.
    """

    name: str
    channels: Tensor
    scale: float
    explained: float
    conv: tuple[Tensor, Tensor]
    root: Tensor


def fit(teacher: Stack, pictures: Tensor, widths: Sequence[int], rng: torch.Generator) -> Iterator[Fit]:
    """Each convolution in turn, from pictures `(N, 3, H, W)`, RGB 0..1."""
    mean = torch.tensor(TORCHVISION.mean)
    theirs = [chunk - teacher.mean[:, None, None] for chunk in pictures.split(CHUNK)]
    ours = [chunk - mean[:, None, None] for chunk in pictures.split(CHUNK)]
    for (name, conv), width in zip(teacher.convs.items(), widths, strict=True):
        theirs = [_convolved(name, chunk, conv) for chunk in theirs]
        found = _fit(name, theirs, ours, width, rng)
        theirs = [F.relu(chunk) for chunk in theirs]
        ours = [F.relu(convolved(name, chunk, found.conv)) for chunk in ours]
        yield found


def student(fits: Sequence[Fit]) -> Stack:
    """The fitted convolutions as a network to train."""
    return Stack(torch.tensor(TORCHVISION.mean), {fit.name: fit.conv for fit in fits})


def _convolved(name: str, x: Tensor, conv: tuple[Tensor, Tensor]) -> Tensor:
    found: Tensor = convolved(name, x.to(conv[0].dtype, memory_format=torch.channels_last), conv)
    return found


def _fit(name: str, theirs: Sequence[Tensor], ours: Sequence[Tensor], width: int, rng: torch.Generator) -> Fit:
    energy = sum(gram(F.relu(chunk.float())).sum(0) for chunk in theirs)
    chosen, explained = choose(energy, width)
    channels = torch.tensor(chosen)
    pictures = sum(len(chunk) for chunk in theirs)
    scale = float((energy.diagonal()[channels].mean() / pictures).clamp(min=1e-30).rsqrt())
    regression = Regression(ours[0].shape[1], width)
    for x, y in zip(ours, theirs, strict=True):
        inputs = F.max_pool2d(x, 2) if x.shape[2] != y.shape[2] else x
        there = y[:, 0].numel()
        places = torch.randperm(there, generator=rng)[: max(1, PLACES // len(theirs))]
        regression.add(inputs, y[:, channels].float() * scale, places)
    return Fit(name, channels, scale, explained, regression.solve(), regression.root())
