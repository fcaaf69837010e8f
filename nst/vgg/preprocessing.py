"""Describe the input preprocessing of a network: the operations on `Pixels` before the first convolution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Preprocessing:
    """`network_input = (pixels * scale - mean) / std`, channels in `order`; `mean` and `std` are in `order` too."""

    name: str
    order: Literal["RGB", "BGR"]
    scale: float
    mean: tuple[float, float, float]
    std: tuple[float, float, float]


TORCHVISION = Preprocessing("torchvision", "RGB", 1.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
"""RGB, 0..1, ImageNet mean and standard deviation: torchvision's own training."""

CAFFE = Preprocessing("caffe", "BGR", 255.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0))
"""BGR, 0..255, mean subtracted: the original VGG release (Simonyan & Zisserman 2014) and keras.applications."""

UNIT = Preprocessing("unit", "RGB", 1.0, (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
"""RGB, 0..1, as it is."""

PREPROCESSINGS = {preprocessing.name: preprocessing for preprocessing in (TORCHVISION, CAFFE, UNIT)}
