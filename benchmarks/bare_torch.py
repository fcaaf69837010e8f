"""The least code that evaluates Gatys' loss and its gradient in PyTorch: what nst is measured against.

The same network, layers and losses as nst's, written straight down: no seams, no names, nothing kept for later.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from nst.vgg.network import Network

STYLE = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT = "relu4_2"


def evaluation(
    network: Network, content: np.ndarray, style: np.ndarray
) -> Callable[[torch.Tensor], tuple[float, torch.Tensor]]:
    """Return a function from an image `(1, 3, H, W)` to its loss and gradient; `network` is a `nst.vgg.Network`."""
    pre = network.preprocessing
    flip = pre.order == "BGR"
    mean, std = (torch.tensor(values).view(1, 3, 1, 1) for values in (pre.mean, pre.std))
    last = torch.channels_last
    convs = [
        (
            name[4:],
            torch.from_numpy(network.kernels[name]).contiguous(memory_format=last),
            torch.from_numpy(network.biases[name]),
        )
        for name in network.kernels
    ]

    def features(x: torch.Tensor) -> dict[str, torch.Tensor]:
        x = (x.flip(1) if flip else x) * pre.scale
        x = (x - mean) / std
        found, block = {}, "1"
        for place, weight, bias in convs:
            if place[0] != block:
                x, block = F.max_pool2d(x, 2), place[0]
            x = F.relu(F.conv2d(x, weight, bias, padding=1))
            if (name := f"relu{place}") in (*STYLE, CONTENT):
                found[name] = x[0].permute(1, 2, 0)
            if len(found) == 6:
                return found
        raise ValueError("the network ends too early")

    def gram(f: torch.Tensor) -> torch.Tensor:
        rows = f.reshape(-1, f.shape[-1])
        return rows.T @ rows / rows.shape[0]

    with torch.no_grad():
        grams = {name: gram(f) for name, f in features(as_image(style)).items() if name in STYLE}
        target = features(as_image(content))[CONTENT]

    def evaluate(x: torch.Tensor) -> tuple[float, torch.Tensor]:
        x = x.detach().requires_grad_()
        found = features(x)
        loss = 10 * (found[CONTENT] - target).square().sum() / target.square().sum()
        for name, expected in grams.items():
            loss = loss + 20 * (gram(found[name]) - expected).square().sum() / expected.square().sum()
        loss.backward()
        return loss.item(), x.grad

    return evaluate


def as_image(pixels: np.ndarray) -> torch.Tensor:
    """`(H, W, 3)` pixels as a `channels_last` `(1, 3, H, W)`."""
    return torch.tensor(pixels).permute(2, 0, 1)[None]
