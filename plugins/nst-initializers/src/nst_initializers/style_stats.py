"""The content in the styles' colors.

Pitié & Kokaram, "The linear Monge-Kantorovitch linear colour mapping for example-based colour transfer" (2007): of all
linear maps that give the content's colors another mean and covariance, this one moves them least. The Cholesky
factors of Gatys et al., "Preserving color in neural artistic style transfer" (2016), give the same moments, but depend
on the order of the channels.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from nst.protocols import Pixels
from nst_initializers.colors import Matrix, mean_and_covariance

FAINTEST = (1 / 255) ** 2
"""The variance of one 8-bit level: a direction of color with less is noise, and is flattened, not stretched."""


GREATEST = 4.0
"""The greatest factor by which a direction of color is stretched: more makes a picture of a plain wall's noise."""


def style_stats(content: Pixels, styles: Sequence[Pixels], rng: np.random.Generator) -> Pixels:
    """Map the content's colors linearly to the styles' mean and covariance; clipped to 0..1.

    A gray content stays a ramp of one hue and a flat one flat: no linear map makes colors where there are none. A
    content of little contrast keeps some of it: gains are at most `GREATEST`.
    """
    before, spread = mean_and_covariance([content])
    after, target = mean_and_covariance(styles)
    transport = _monge(spread, target).astype(np.float32)
    centered = content - before.astype(np.float32)
    return (centered @ transport + after.astype(np.float32)).clip(0, 1)


def _monge(spread: Matrix, target: Matrix) -> Matrix:
    """Return the symmetric `T` with `T @ spread @ T == target` where `spread` is not faint, with bounded gains."""
    root, inverse = _power(spread, 0.5, FAINTEST), _power(spread, -0.5, FAINTEST)
    transport: Matrix = inverse @ _power(root @ target @ root, 0.5, 0) @ inverse
    gains, directions = np.linalg.eigh(transport)
    return np.asarray((directions * gains.clip(0, GREATEST)) @ directions.T) if gains[-1] > GREATEST else transport


def _power(covariance: Matrix, exponent: float, faintest: float) -> Matrix:
    """Return the power of the matrix, on the directions whose variance is more than `faintest`."""
    variances, directions = np.linalg.eigh(covariance)
    distinct = variances > faintest
    return np.asarray((directions[:, distinct] * variances[distinct] ** exponent) @ directions[:, distinct].T)
