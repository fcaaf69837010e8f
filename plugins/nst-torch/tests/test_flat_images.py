"""Images with next to no variance are painted and paint, in either precision, with every style loss."""

from __future__ import annotations

import numpy as np
import pytest

from nst import Recipe, stylize

SHAPE = (48, 64)


def image(kind):
    rng = np.random.default_rng(0)
    if kind == "photo":
        return rng.random((*SHAPE, 3), np.float32)
    if kind == "line":
        return np.ones((*SHAPE, 3), np.float32) * (np.arange(64) != 20).astype(np.float32)[:, None]
    gray, noise = {"black": (0, 0), "paper": (0.96, 0.008)}[kind]
    return np.clip(gray + noise * rng.standard_normal((*SHAPE, 1)) + np.zeros(3), 0, 1).astype(np.float32)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("loss", ["gram", "wasserstein", "mean-std", "histogram", "neighbor"])
@pytest.mark.parametrize(
    ("content", "style"), [("photo", "paper"), ("paper", "photo"), ("black", "line"), ("line", "black")]
)
def test_the_picture_is_finite(loss, precision, content, style):
    recipe = Recipe(
        size=64, levels=1, steps=(3,), style_loss=loss, precision=precision, device="cpu", weights="compact"
    )
    result = stylize(image(content), image(style), recipe)
    assert len(result.history) == 3
    assert np.isfinite([row["loss"] for row in result.history]).all()
    assert np.isfinite(result.pixels).all()


@pytest.mark.parametrize("scale", [0.25, 1])
def test_so_is_a_picture_with_a_single_position_at_the_deepest_layer(scale):
    rng = np.random.default_rng(1)
    content, style = rng.random((24, 18, 3), np.float32), rng.random((128, 128, 3), np.float32)
    layers = {"relu1_1": 1.0, "relu5_1": 1.0} if scale == 1 else {"relu1_1": 1.0, "relu2_1": 1.0}
    recipe = Recipe(
        size=24, steps=(3,), style_loss="wasserstein", style_layers=layers, precision="bfloat16", style_scale=(scale,)
    )
    assert np.isfinite(stylize(content, style, recipe).pixels).all()
