"""One neutral judge for finished pictures, wherever they come from: how near to the style, to the content, how noisy.

It imports no framework: a fixed VGG in NumPy, and scikit-image for structure and color. Every number of a comparison
is taken at one size, by one network, so that none of the compared is measured with its own yardstick.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from statistics import fmean
from typing import Any

import numpy as np
from numpy.typing import NDArray

from nst.errors import UserError
from nst.images import fit, resize
from nst.losses.content import Content
from nst.losses.gram import Gram
from nst.losses.total_variation import TotalVariation
from nst.protocols import Pixels
from nst.vgg import network
from nst.vgg.architecture import smallest_side
from nst.vgg.network import Network
from nst.weights import selection

Floats = NDArray[np.float32]
Lab = NDArray[np.float64]

STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)
SIZE = 512  # pixels, long side: beyond, the judge takes longer and says the same
GRID = 24  # colors sampled each way for a palette: 576 of them, matched one to one
XP: Any = np  # what the losses compute in


@dataclass(frozen=True)
class Scores:
    """What the judge finds. Distances are 0 for the same and about 1 for an unrelated picture.

    `style` holds the relative squared distance of Gram matrices by layer, `style_mean` their mean; `content` the
    relative squared distance of features at `relu4_2`. `ssim` (1 for the same) compares luminance with the content's.
    `color` is the mean CIEDE2000 difference to the content, pixel by pixel: how far colors moved. `palette` is the
    mean CIEDE2000 by which the picture's colors, wherever they are, would have to move to become the styles': how far
    its palette is from theirs, by a sample of colors (the same palette may come out at 3). 1 is just noticeable.
    `total_variation` is the mean squared difference of neighbors.
    """

    style: Mapping[str, float]
    style_mean: float
    content: float
    ssim: float
    color: float
    palette: float
    total_variation: float


class Evaluator:
    """Judges pictures against one content and its styles, all at the content's shape with long side `size`, pixels.

    `blend` holds the styles' shares (default: equal). Styles are shrunk to `size`, never enlarged.
    """

    def __init__(
        self, network: Network, content: Pixels, styles: Sequence[Pixels], blend: Sequence[float] = (), size: int = SIZE
    ) -> None:
        self._network = network
        self._shape = _shape(content, size)
        self._content = resize(content, self._shape)
        shares = np.array(blend or [1.0] * len(styles))
        self._styles = list(zip(shares / shares.sum(), (_shrunk(style, size) for style in styles), strict=True))
        self._target = features(network, self._content, [CONTENT_LAYER])[CONTENT_LAYER]
        self._grams = self._style_grams()

    def _style_grams(self) -> dict[str, Floats]:
        parts = [(share, _grams(features(self._network, style, STYLE_LAYERS))) for share, style in self._styles]
        return {layer: sum(share * grams[layer] for share, grams in parts) for layer in STYLE_LAYERS}

    def __call__(self, picture: Pixels) -> Scores:
        """Score a picture of any size. Raises `UserError` without scikit-image."""
        pixels = resize(picture, self._shape)
        activations = features(self._network, pixels, LAYERS)
        grams = _grams(activations)
        style = {layer: float(Gram().distance(XP, grams[layer], self._grams[layer])) for layer in STYLE_LAYERS}
        return Scores(
            style=style,
            style_mean=fmean(style.values()),
            content=_relative(Content(), activations[CONTENT_LAYER], self._target),
            ssim=ssim(pixels, self._content),
            color=color_difference(pixels, self._content),
            palette=sum(float(share) * palette_distance(pixels, style) for share, style in self._styles),
            total_variation=float(np.mean(TotalVariation().difference(XP, pixels, pixels))),
        )


def load_network(path: str = "") -> Network:
    """Read the evaluator's network: nst's compact VGG-19, or a neutral file. Raises `UserError` if it lacks a layer."""
    if not path:
        return selection.COMPACT.load()
    missing = set(LAYERS) - set(network.layers_of(network.header(path)))
    if missing:
        raise UserError(f"'{path}' has no layer {', '.join(sorted(missing))}", "the judge needs relu1_1 to relu5_1")
    return network.read(path)


def missing_scikit_image() -> UserError | None:
    """Return the error if scikit-image is not installed, else None."""
    if find_spec("skimage") is not None:
        return None
    return UserError("comparing pictures needs scikit-image", "pip install 'nst[compare]'")


def features(network: Network, pixels: Pixels, layers: Sequence[str]) -> dict[str, Floats]:
    """Return `relu` activations `(H_l, W_l, C_l)` by name, as `nst.vgg.reference` does, but in float32."""
    x: Floats = pixels - network.mean()
    activations: dict[str, Floats] = {}
    block = "1"
    for name, kernel, bias in network.folded():
        place = name.removeprefix("conv")
        if place[0] != block:
            x, block = _pooled(x), place[0]
        x = np.maximum(_convolved(x, kernel) + bias, 0)
        if f"relu{place}" in layers:
            activations[f"relu{place}"] = x
        if len(activations) == len(layers):
            break
    return activations


def _convolved(x: Floats, kernel: Floats) -> Floats:
    """3×3, zeros around. Each shift is copied to be contiguous: BLAS is several times faster then."""
    height, width, channels = x.shape
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    total = np.zeros((height * width, kernel.shape[0]), np.float32)
    for i in range(3):
        for j in range(3):
            shifted = np.ascontiguousarray(padded[i : i + height, j : j + width]).reshape(-1, channels)
            total += shifted @ kernel[:, :, i, j].T
    return total.reshape(height, width, -1)


def _pooled(x: Floats) -> Floats:
    height, width, channels = x.shape
    windows = x[: height // 2 * 2, : width // 2 * 2].reshape(height // 2, 2, width // 2, 2, channels)
    pooled: Floats = windows.max(axis=(1, 3))
    return pooled


def _shape(content: Pixels, size: int) -> tuple[int, int]:
    """(height, width) with long side `size`, or more where the short side would not reach the deepest layer."""
    height, width = content.shape[:2]
    least = -(-smallest_side(LAYERS) * max(height, width) // min(height, width))
    return fit(height, width, max(size, least))


def _shrunk(style: Pixels, size: int) -> Pixels:
    height, width = style.shape[:2]
    least = smallest_side(LAYERS)
    inside = fit(height, width, min(size, max(height, width)))
    return resize(style, (max(least, inside[0]), max(least, inside[1])))


def _grams(activations: Mapping[str, Floats]) -> dict[str, Floats]:
    return {layer: Gram().statistic(XP, activations[layer], None) for layer in STYLE_LAYERS}


def _relative(loss: Content, values: Floats, target: Floats) -> float:
    """Return the mean difference, divided by the target's mean energy."""
    energy = float(np.mean(loss.energy(XP, target)))
    return float(np.mean(loss.difference(XP, values, target))) / max(energy, 1e-12)


def ssim(pixels: Pixels, content: Pixels) -> float:
    """Structural similarity of luminance, as Wang et al. (2004) compute it; both `(H, W, 3)`, sides of 11 or more."""
    from skimage.color import rgb2gray
    from skimage.metrics import structural_similarity

    gray, other = rgb2gray(pixels), rgb2gray(content)
    wang: Any = {"data_range": 1.0, "gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
    return float(structural_similarity(gray, other, **wang))  # type: ignore[no-untyped-call]


def color_difference(pixels: Pixels, content: Pixels) -> float:
    """Mean CIEDE2000 difference of two pictures `(H, W, 3)`, pixel by pixel; 1 is just noticeable."""
    from skimage.color import deltaE_ciede2000, rgb2lab

    return float(np.mean(deltaE_ciede2000(rgb2lab(pixels), rgb2lab(content))))  # type: ignore[no-untyped-call]


def palette_distance(pixels: Pixels, style: Pixels) -> float:
    """Mean CIEDE2000 between the colors of two pictures matched one to one as well as can be, wherever they are."""
    from scipy.optimize import linear_sum_assignment
    from skimage.color import deltaE_ciede2000

    cost = deltaE_ciede2000(_palette(pixels)[:, None], _palette(style)[None])  # type: ignore[no-untyped-call]
    return float(cost[linear_sum_assignment(cost)].mean())


def _palette(pixels: Pixels) -> Lab:
    """`(GRID², 3)`: colors in CIELAB, taken on a regular grid."""
    from skimage.color import rgb2lab

    rows, columns = (np.linspace(0, side - 1, GRID).round().astype(int) for side in pixels.shape[:2])
    colors: Lab = rgb2lab(pixels[np.ix_(rows, columns)]).reshape(-1, 3)
    return colors
