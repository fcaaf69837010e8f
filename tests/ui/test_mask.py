"""Test the masks of brush strokes, and the brush modes."""

from __future__ import annotations

import numpy as np
import pytest

from nst.errors import UserError
from nst.images import load_image
from nst.ui.mask import USES, Regions, mask_of, regions


def layer(height=6, width=8, **marks):
    drawn = np.zeros((height, width, 4), np.uint8)
    drawn[2:4, 2:5] = (225, 29, 72, marks.get("alpha", 255))
    return drawn


def test_a_mask_covers_the_strokes_of_all_layers():
    mask = mask_of([layer(), np.zeros((6, 8, 4), np.uint8)])
    assert mask.dtype == np.float32
    assert (mask.sum(), mask[2, 2], mask[0, 0]) == (6, 1, 0)


def test_a_soft_brush_leaves_a_soft_mask():
    assert mask_of([layer(alpha=51)])[2, 2] == pytest.approx(0.2)


@pytest.mark.parametrize("layers", [[], [None], [np.zeros((6, 8, 4), np.uint8)]])
def test_an_untouched_canvas_has_no_mask(layers):
    assert mask_of(layers) is None


def test_each_brush_mode_assigns_styles_to_regions(tmp_path):
    mask, file = mask_of([layer()]), tmp_path / "mask.png"
    styles = ["a.png", "b.png"]
    regions_by_use = {use: regions(use, mask, styles, file) for use in USES}
    assert regions_by_use["nothing"] == Regions(styles)
    assert regions_by_use["keep"] == Regions(styles, protect=str(file))
    assert regions_by_use["only"] == Regions((), [(str(file), styles)])
    assert regions_by_use["last"] == Regions(["a.png"], [(str(file), ["b.png"])])
    assert load_image(file)[..., 0].sum() == 6


def test_an_ignored_mask_is_not_written(tmp_path):
    regions("nothing", mask_of([layer()]), ["a.png"], tmp_path / "mask.png")
    assert list(tmp_path.iterdir()) == []


def test_a_brush_mode_without_a_mark_or_a_second_style_is_refused(tmp_path):
    with pytest.raises(UserError, match="needs a marked part"):
        regions("keep", None, ["a.png"], tmp_path / "mask.png")
    with pytest.raises(UserError, match="needs two styles"):
        regions("last", mask_of([layer()]), ["a.png"], tmp_path / "mask.png")
