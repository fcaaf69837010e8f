"""Noise with the styles' own spectrum: their colors and their grain at every scale, and nothing they depict.

Galerne, Gousseau & Morel, "Random phase textures: theory and synthesis" (2011): a picture keeps the modulus of its
Fourier transform and gets random phases, the same for all channels, so that colors stay as they go together. Beforehand
it loses what is not periodic about it, or its borders would show as a cross of streaks: Moisan, "Periodic plus smooth
image decomposition" (2011).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
from numpy.typing import NDArray

from nst.protocols import Pixels
from nst_initializers.pictures import cover

Floats = NDArray[np.float64]
Spectrum = NDArray[np.complex128]


def random_phase(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator, *, ratio: float = 1.0) -> Pixels:
    """Mix the content linearly with random-phase noise, whose share is `ratio`; clipped to 0..1.

    Each style is first scaled and cropped to cover the content. The noises of several are independent and added so
    that their power spectra are averaged, and so are their means.
    """
    covers = [cover(style, content).astype(np.float64) for style in styles]
    noises = sum(_scrambled(_periodic(style), rng) - style.mean(axis=(0, 1)) for style in covers)
    noise = np.mean([style.mean(axis=(0, 1)) for style in covers], axis=0) + noises / sqrt(len(covers))
    mixed: Pixels = ((1 - ratio) * content + ratio * noise).clip(0, 1).astype(np.float32)
    return mixed


def _scrambled(picture: Floats, rng: np.random.Generator) -> Floats:
    """Return the image `(H, W, 3)` with the phases of white noise, which are uniform and keep the image real."""
    height, width = picture.shape[:2]
    white = np.fft.rfft2(rng.standard_normal((height, width)))
    white[0, 0] = 1  # the mean stays
    turned = np.fft.rfft2(picture, axes=(0, 1)) * (white / np.abs(white))[..., None]
    return np.fft.irfft2(turned, s=(height, width), axes=(0, 1))


def _periodic(picture: Floats) -> Floats:
    """Return the periodic image with the Laplacian of `picture` away from its borders, and with its mean."""
    height, width = picture.shape[:2]
    jumps = np.zeros_like(picture)
    for first, last in ((np.s_[0], np.s_[-1]), (np.s_[:, 0], np.s_[:, -1])):
        jump = picture[first] - picture[last]
        jumps[first] -= jump
        jumps[last] += jump
    rows, columns = (2 * np.cos(2 * np.pi * np.fft.fftfreq(side)) - 2 for side in (height, width))
    laplacian = rows[:, None] + columns[: width // 2 + 1]
    laplacian[0, 0] = 1  # where the jumps have nothing
    smooth = np.fft.rfft2(jumps, axes=(0, 1)) / laplacian[..., None]
    return picture - np.fft.irfft2(smooth, s=(height, width), axes=(0, 1))
