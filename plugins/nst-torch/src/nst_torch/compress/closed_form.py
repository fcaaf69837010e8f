"""A slim network without any training: layer by layer, the channels that stand for all, and their regression.

The student's k-th convolution sees what the student's earlier ones give, not what the teacher's give: each layer makes
up for the errors before it. A start, a slim network made earlier, keeps its channels and what it has learned of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812

from nst.protocols import Tensor
from nst.vgg import TORCHVISION
from nst_torch.compress.loss import gram
from nst_torch.compress.regression import Regression, sampled, unpacked
from nst_torch.compress.selection import choose, explained
from nst_torch.compress.stack import Stack, convolved
from nst_torch.compress.start import Known, carried

CHUNK = 8  # pictures at a time
PLACES = 40_000  # positions of a layer that its regression uses
LOYALTY = 0.95  # of what the best channels explain: a start's that explain less are given up


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


@dataclass
class _Fitting:
    """Teacher and student up to one layer, on all pictures, in chunks `(N, C, H, W)`."""

    theirs: list[Tensor]
    ours: list[Tensor]
    known: Mapping[str, Known]
    rng: torch.Generator
    before: Fit | None = None


def fit(
    teacher: Stack, pictures: Tensor, widths: Sequence[int], rng: torch.Generator, known: Mapping[str, Known]
) -> Iterator[Fit]:
    """Each convolution in turn, from pictures `(N, 3, H, W)`, RGB 0..1; `known` is an earlier network, or empty."""
    mean = torch.tensor(TORCHVISION.mean)
    theirs = [chunk - teacher.mean[:, None, None] for chunk in pictures.split(CHUNK)]
    ours = [chunk - mean[:, None, None] for chunk in pictures.split(CHUNK)]
    state = _Fitting(theirs, ours, known, rng)
    for (name, conv), width in zip(teacher.convs.items(), widths, strict=True):
        state.theirs = [convolved(name, chunk.to(conv[0].dtype), conv) for chunk in state.theirs]
        state.before = _fitted(name, state, width)
        state.theirs = [F.relu(chunk) for chunk in state.theirs]
        state.ours = [F.relu(convolved(name, chunk, state.before.conv)) for chunk in state.ours]
        yield state.before


def student(fits: Sequence[Fit]) -> Stack:
    """Return the fitted convolutions as a network to train."""
    return Stack(torch.tensor(TORCHVISION.mean), {fit.name: fit.conv for fit in fits})


def _fitted(name: str, state: _Fitting, width: int) -> Fit:
    energy = sum(gram(F.relu(chunk.float())).sum(0) for chunk in state.theirs)
    chosen, share = choose(energy, width, _held(name, state, energy, width))
    channels = torch.tensor(chosen)
    pictures = sum(len(chunk) for chunk in state.theirs)
    scale = float((energy.diagonal()[channels].mean() / pictures).clamp(min=1e-30).rsqrt())
    rows, outputs = _samples(state, channels)
    regression, outputs = Regression(rows), outputs * scale
    matrix = _begun(name, state, channels, scale, regression.solve(outputs))
    return Fit(name, channels, scale, share, unpacked(matrix), regression.root())


def _held(name: str, state: _Fitting, energy: Tensor, width: int) -> list[int]:
    """Return the start's channels, unless they are too many or others explain clearly more."""
    if name not in state.known or len(state.known[name].channels) > width:
        return []
    channels = state.known[name].channels
    best = choose(energy, len(channels))[1]
    return channels.tolist() if explained(energy, channels) >= LOYALTY * best else []


def _samples(state: _Fitting, channels: Tensor) -> tuple[Tensor, Tensor]:
    """Sample inputs `(places, 9 in + 1)` of the student, outputs `(places, width)` of the teacher before its ReLU."""
    rows, outputs = [], []
    for x, y in zip(state.ours, state.theirs, strict=True):
        inputs = F.max_pool2d(x, 2) if x.shape[2] != y.shape[2] else x
        places = torch.randperm(y[:, 0].numel(), generator=state.rng)[: max(1, PLACES // len(state.theirs))]
        rows.append(sampled(inputs, places))
        outputs.append(y.permute(0, 2, 3, 1).flatten(0, 2)[places][:, channels].float())
    return torch.cat(rows), torch.cat(outputs)


def _begun(name: str, state: _Fitting, channels: Tensor, scale: float, regressed: Tensor) -> Tensor:
    """Return the regression's rows for new channels, and the start's for the channels it has."""
    before = state.before
    inputs, gain = (before.channels, before.scale) if before else (torch.arange(3), 1.0)
    rows = carried(state.known, before.name if before else "", name, inputs, gain)
    if rows is None:
        return regressed
    places = {int(channel): place for place, channel in enumerate(state.known[name].channels)}
    known_rows = [scale * rows[places[int(channel)]] if int(channel) in places else None for channel in channels]
    return torch.stack([own if old is None else old for old, own in zip(known_rows, regressed, strict=True)])
