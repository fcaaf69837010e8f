"""Choose the colors of the result: from the styles, or in several ways from the content.

A mode changes the styles before the optimization, the result after it, or both; Gatys, Bethge, Hertzmann and Shechtman
("Preserving Color in Neural Artistic Style Transfer", 2016) compare the two. Every function is pure and takes and
returns `Pixels`; gray and constant pictures are allowed.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.errors import UserError, unknown
from nst.images import resize
from nst.images.picture import Doubles, Floats
from nst.protocols import Pixels

Step = Callable[[Pixels, Pixels], Pixels]

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # Y of YIQ
_NOISE = 1 / 255  # the smallest standard deviation to divide by


@dataclass(frozen=True)
class Mode:
    """A color mode: a step on each style before the optimization, and a step on the result; both receive the content.

    `needs` names the optional module that a step imports, or "".
    """

    summary: str
    before: Step | None = None
    after: Step | None = None
    needs: str = ""


def luminance(result: Pixels, content: Pixels) -> Pixels:
    """Combine the content's chroma with the result's luminance, in YIQ (Gatys et al., 2016, section 3.2); equal shapes.

    A color outside 0..1 loses saturation at constant luminance until it fits; clipping would change luminance and hue.
    """
    gray = (result @ _LUMA)[..., None]
    chroma = content - (content @ _LUMA)[..., None]  # I and Q as RGB: Y moves all three channels alike
    room = np.where(chroma > 0, 1 - gray, gray)
    share = (room / np.maximum(np.abs(chroma), 1e-6)).min(axis=-1, keepdims=True).clip(0, 1)
    return _pixels(gray + share * chroma)


def lab(result: Pixels, content: Pixels) -> Pixels:
    """Combine the content's a and b with the result's lightness, in CIELAB, clipped. Uses scikit-image."""
    from skimage.color import lab2rgb, rgb2lab

    joined = np.concatenate([rgb2lab(result)[..., :1], rgb2lab(content)[..., 1:]], axis=-1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Conversion from CIE-LAB")  # about colors beyond sRGB, which are clipped
        return _pixels(lab2rgb(joined))


def match_luminance(style: Pixels, content: Pixels) -> Pixels:
    """Shift and scale the style's luminance to the content's mean and deviation (Gatys et al., 2016, eq. 10)."""
    painted, target = style @ _LUMA, content @ _LUMA
    moved = (painted - painted.mean()) * (target.std() / max(painted.std(), _NOISE)) + target.mean()
    return luminance(np.repeat(moved.clip(0, 1)[..., None], 3, axis=-1), style)


def match_mean(style: Pixels, content: Pixels) -> Pixels:
    """Give the style the content's mean color and channel covariance, clipped (Gatys et al., 2016, section 3.1).

    Of all linear maps with this property (the paper's uses Cholesky factors), this one moves colors least: the
    Monge-Kantorovich map of Pitié and Kokaram ("The linear Monge-Kantorovitch linear colour mapping", 2007, eq. 5).
    """
    mean, covariance = _statistics(style)
    target_mean, target = _statistics(content)
    root = _root(covariance)
    inverse = np.linalg.inv(root)
    matrix = inverse @ _root(root @ target @ root) @ inverse
    return _pixels((style - mean) @ matrix.astype(np.float32) + target_mean)


def match_histogram(style: Pixels, content: Pixels) -> Pixels:
    """Give the style the content's histogram in each channel. Uses scikit-image."""
    from skimage.exposure import match_histograms

    return _pixels(match_histograms(style, content, channel_axis=-1))


MODES: Mapping[str, Mode] = {
    "style": Mode("the styles' colors (the original method)"),
    "content": Mode("the photograph's colors and contrast", match_luminance, luminance),
    "luminance": Mode("the photograph's colors with the result's luminance (YIQ)", after=luminance),
    "lab": Mode("as luminance, in CIELAB", after=lab, needs="skimage"),
    "match-mean": Mode("styles recolored to the photograph's mean and spread of colors", before=match_mean),
    "match-histogram": Mode(
        "styles recolored to the photograph's histogram, channel by channel", before=match_histogram, needs="skimage"
    ),
}
"""Every mode by name.

`content` is the complete luminance transfer of Gatys et al.: the styles first get the photograph's mean and spread of
luminance, so that a dark or pale painting does not darken or bleach the result; then every pixel gets the photograph's
chroma. Recoloring the styles (match-mean) adds colored noise to paintings of few colors, visible as grain in the
result.
"""


def check(mode: str) -> UserError | None:
    """Return the error that stops `prepared` and `finished`: an unknown mode, or missing scikit-image; else None."""
    if mode not in MODES:
        return unknown("color mode", mode, MODES)
    if MODES[mode].needs and find_spec(MODES[mode].needs) is None:
        return UserError(f"--color {mode} needs scikit-image", "pip install 'nst[color]'")
    return None


def prepared(mode: str, styles: Sequence[Pixels], content: Pixels) -> list[Pixels]:
    """Transfer colors to the styles before the optimization, as the mode requires."""
    step = MODES[mode].before
    return [step(style, content) if step else style for style in styles]


def finished(mode: str, result: Pixels, content: Pixels) -> Pixels:
    """Transfer colors to the result, as the mode requires; the content may have another size."""
    step = MODES[mode].after
    return step(result, resize(content, (result.shape[0], result.shape[1]))) if step else result


def _statistics(pixels: Pixels) -> tuple[Floats, Doubles]:
    """Return the mean `(3,)` and the covariance `(3, 3)`, which is never singular."""
    colors = pixels.reshape(-1, 3)
    mean = colors.mean(axis=0, dtype=np.float64).astype(np.float32)
    centered = colors - mean
    return mean, (centered.T @ centered).astype(np.float64) / len(colors) + _NOISE**2 * np.eye(3)


def _root(matrix: Doubles) -> Doubles:
    """Compute the symmetric root of a symmetric positive matrix."""
    values, vectors = np.linalg.eigh(matrix)
    root: Doubles = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    return root


def _pixels(colors: NDArray[Any]) -> Pixels:
    return np.ascontiguousarray(colors.clip(0, 1), np.float32)
