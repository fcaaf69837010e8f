"""The features of an ordinary photograph, which say what is little for a content without detail.

A content loss is relative to the content's own energy. A plain wall has next to none, so that its grain would be kept
like the shapes of other photographs. Its energy is therefore taken to be at least a share of an ordinary one's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nst.geometry import Layer, shortest_side
from nst.protocols import FeatureBackend, Pixels, PointwiseLoss, Tensor

SIDE = 128

LEAST = 0.3
"""The least energy of a content, of an ordinary one.

Measured at relu4_2 of the compact network at 256 px: 24 photographs have 0.33 to 1.75 of it, a gray wall with noise of
two levels of 255 has 0.05, paper 0.15.
"""


def ordinary_image(side: int) -> Pixels:
    """Return a gray square `(side, side, 3)` whose amplitudes fall with frequency, as those of photographs do.

    Field, "Relations between the statistics of natural images and the response properties of cortical cells" (1987).
    Mean and standard deviation, 0.45 and 0.2, are usual for photographs too.
    """
    frequency = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side))
    frequency[0, 0] = np.inf
    noise = np.random.default_rng(0).standard_normal((side, side))
    luminance = np.fft.irfft2(np.fft.rfft2(noise) / frequency, s=(side, side))
    gray = (0.45 + 0.2 * luminance / luminance.std()).clip(0, 1).astype(np.float32)
    return np.repeat(gray[..., None], 3, axis=-1)


def least_energies(backend: FeatureBackend, loss: PointwiseLoss, layers: Sequence[Layer]) -> dict[Layer, float]:
    """Return the least energy of a content at each layer: a share of the mean energy of an ordinary photograph."""
    image = backend.asarray(ordinary_image(max(SIDE, shortest_side(layers))))
    features = backend.features(image, [layer.name for layer in layers])
    return {layer: LEAST * _mean(backend, loss.energy(backend.xp, features[layer.name])) for layer in layers}


def _mean(backend: FeatureBackend, energy: Tensor) -> float:
    return energy if isinstance(energy, float) else float(backend.xp.mean(energy))
