"""The preset for faces: what is where stays as it was, and colors and brush are the painting's all the same."""

from __future__ import annotations

import pytest

from nst import Recipe, images, stylize
from nst.compare.metrics import Evaluator, Scores, load_network
from nst.images.demo_painting import paint_demo
from nst.recipe.recipe import preset

pytestmark = pytest.mark.frameworks

SIZE = 128


@pytest.fixture(scope="module")
def judged() -> dict[str, Scores]:
    """The photograph as it is, and painted by each preset."""
    data = pytest.importorskip("skimage.data", reason="the photograph is scikit-image's")
    photograph, painting = images.read(data.astronaut()).pixels, paint_demo(256, 256)
    judge = Evaluator(load_network(), photograph, [painting], size=SIZE)
    fast = {"size": SIZE, "steps": (40,), "weights": ("compact",), "device": "cpu", "precision": "float32"}
    found = {name: stylize(photograph, painting, Recipe(**preset(name), **fast)) for name in ("default", "portrait")}
    return {"photograph": judge(photograph)} | {name: judge(each.pixels) for name, each in found.items()}


def test_it_holds_on_to_what_is_where(judged):
    assert judged["portrait"].content < 0.8 * judged["default"].content


@pytest.mark.parametrize("layer", ["relu1_1", "relu2_1", "relu3_1"])
def test_colors_and_brush_are_the_painting_s(judged, layer):
    assert judged["portrait"].style[layer] < 0.2 * judged["photograph"].style[layer]
