"""The pictures a network is fitted to: crops of photographs and paintings, and textures made here.

Everything is drawn from one generator, so that a seed gives the same pictures.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray

from nst.protocols import Tensor
from nst_torch.compress.photos import Photo

SHRINK = 3.0  # at most; a crop is at most that much of its picture, the rest is cut away
ENLARGE = 1.5  # at most; small photographs give strokes of every width
TEXTURES = 0.2  # share of the pictures made here


class Calibration:
    """An endless supply of crops `(N, 3, size, size)`, RGB 0..1. Each of the folders given has an equal share."""

    def __init__(self, folders: Sequence[Sequence[Photo]], size: int, rng: np.random.Generator) -> None:
        self._folders = folders
        self._size = size
        self._rng = rng

    def draw(self, count: int) -> Tensor:
        """Yield more pictures."""
        return torch.stack([self._one() for _ in range(count)])

    def _one(self) -> Tensor:
        if self._rng.random() < TEXTURES:
            return _texture(self._size, self._rng)
        folder = self._folders[int(self._rng.integers(len(self._folders)))]
        crop = _crop(folder[int(self._rng.integers(len(folder)))], self._size, self._rng)
        return _varied(crop, self._rng)


def _crop(photo: Photo, size: int, rng: np.random.Generator) -> Tensor:
    """`(3, size, size)`: a square of random place and scale."""
    height, width = photo.shape[:2]
    least, most = size / ENLARGE, min(height, width, size * SHRINK)
    side = round(most if least >= most else math.exp(rng.uniform(math.log(least), math.log(most))))
    top, left = rng.integers(height - side + 1), rng.integers(width - side + 1)
    return _square(photo, int(top), int(left), side, size)


def _varied(crop: Tensor, rng: np.random.Generator) -> Tensor:
    """Mirrored, its colors turned into others', its contrast changed; a little noise now and then."""
    for axis in (1, 2):
        crop = crop.flip(axis) if rng.random() < (0.1, 0.5)[axis - 1] else crop
    if rng.random() < 0.3:
        crop = crop[torch.from_numpy(rng.permutation(3))]
    if rng.random() < 0.5:
        gray = crop.mean(0, keepdim=True)
        crop = gray + (crop - gray) * float(rng.uniform(0.3, 2.5))
    if rng.random() < 0.5:
        crop = (crop - crop.mean()) * float(rng.uniform(0.5, 1.6)) + crop.mean() + float(rng.uniform(-0.2, 0.2))
    if rng.random() < 0.15:
        crop = crop + torch.from_numpy(rng.normal(size=crop.shape).astype(np.float32)) * float(rng.uniform(0, 0.3))
    return crop.clamp(0, 1)


def _texture(size: int, rng: np.random.Generator) -> Tensor:
    """Noise of any roughness, grain and palette, its tones smooth or in steps."""
    planes = np.stack([_noise(size, rng) for _ in range(3)])
    mixed = np.tensordot(rng.normal(size=(3, 3)), planes, 1)
    if rng.random() < 0.4:
        steps = rng.uniform(0.5, 2)
        mixed = np.round(mixed / steps) * steps
    colored = rng.uniform(0.2, 0.8, (3, 1, 1)) + rng.uniform(0.05, 0.3) * mixed
    return torch.from_numpy(np.clip(colored, 0, 1).astype(np.float32))


def _noise(size: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """`(size, size)` of mean 0 and deviation 1, its spectrum a power of a frequency that may have a direction."""
    y, x = np.fft.fftfreq(size)[:, None], np.fft.fftfreq(size)[None]
    angle, stretch = rng.uniform(0, np.pi), np.exp(rng.uniform(0, 2))
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    frequency = np.hypot(along * stretch, across) + 1 / size
    spectrum = np.fft.fft2(rng.normal(size=(size, size))) * frequency ** -rng.uniform(0, 2)
    plane = np.fft.ifft2(spectrum).real
    normalized: NDArray[np.float64] = (plane - plane.mean()) / (plane.std() + 1e-12)
    return normalized


def centers(photos: Sequence[Photo], size: int) -> Tensor:
    """`(N, 3, size, size)`: the middle of each picture, as it is."""
    squares = []
    for photo in photos:
        side = min(photo.shape[:2])
        top, left = (photo.shape[0] - side) // 2, (photo.shape[1] - side) // 2
        squares.append(_square(photo, top, left, side, size))
    return torch.stack(squares)


def _square(photo: Photo, top: int, left: int, side: int, size: int) -> Tensor:
    square = torch.from_numpy(photo[top : top + side, left : left + side]).permute(2, 0, 1)[None].float() / 255
    return F.interpolate(square, (size, size), mode="bicubic", antialias=True, align_corners=False)[0].clamp(0, 1)
