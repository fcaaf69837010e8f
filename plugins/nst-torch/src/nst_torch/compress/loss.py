"""How far the student's activations are from the teacher's, in the terms that style transfer is made of."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from nst.protocols import Tensor

STYLE_LAYERS = ("conv1_1", "conv2_1", "conv3_1", "conv4_1", "conv5_1")
HIDDEN = 0.1  # weight of the activations that no default loss looks at
SEEN = (*STYLE_LAYERS, "conv4_2")


def gram(activations: Tensor) -> Tensor:
    """`(N, C, C)` of activations `(N, C, H, W)`: the mean over positions of the channels' products."""
    columns = activations.flatten(2)
    matrix: Tensor = columns @ columns.transpose(1, 2) / columns.shape[2]
    return matrix


def relative(value: Tensor, target: Tensor) -> Tensor:
    """`(N,)`: the squared difference of each, over the squared size of its target."""
    return (value - target).flatten(1).square().sum(1) / target.flatten(1).square().sum(1).clamp(min=1e-12)


def distance(features: Mapping[str, Tensor], target: Mapping[str, Tensor], pairs: int) -> dict[str, Tensor]:
    """Terms by name, each about 0..1: errors of activations, of Gram matrices, and of differences of Gram matrices.

    Both hold activations `(N, C, H, W)` by layer, of pictures whose first `pairs` have their styles for the next
    `pairs`. What an optimization follows is the difference of picture and style: errors they share do no harm there.
    Square roots keep one bad layer or picture from drowning the others.
    """
    terms = {}
    for name, answer in target.items():
        expected = answer.float()
        weight = 1.0 if name in SEEN else HIDDEN
        terms[f"activations {name}"] = weight * _root(relative(features[name], expected))
        if name in STYLE_LAYERS:
            ours, theirs = gram(features[name]), gram(expected)
            terms[f"gram {name}"] = _root(relative(ours, theirs))
            error, size = ours - theirs, theirs.flatten(1).square().sum(1)[pairs : 2 * pairs]
            change = (error[:pairs] - error[pairs : 2 * pairs]).flatten(1).square().sum(1)
            terms[f"change {name}"] = _root(change / size.clamp(min=1e-12))
    return terms


def _root(squares: Tensor) -> Tensor:
    return torch.sqrt(squares + 1e-8).mean()
