"""The gallery shows what `make gallery` paints: every sheet, small, and of every choice there is."""

from __future__ import annotations

import re
from functools import partial
from importlib.util import find_spec, module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest

from nst import Recipe
from nst.images import load_image, resize
from nst.images.color_transfer import MODES

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PAGE = (DOCS / "gallery.md").read_text("utf-8")

pytestmark = pytest.mark.skipif(find_spec("skimage") is None, reason="its photographs are scikit-image's")


@pytest.fixture
def gallery(monkeypatch):
    """docs/gallery.py, its pictures small and of one step."""
    spec = spec_from_file_location("gallery", DOCS / "gallery.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "SIZE", 48)
    monkeypatch.setattr(module, "Recipe", partial(Recipe, steps=1))
    monkeypatch.setattr(module, "paint_demo", lambda: np.random.default_rng(0).random((48, 64, 3), np.float32))
    return module


def test_the_page_shows_every_sheet_and_no_other(gallery):
    assert re.findall(r"\]\(gallery/(.*)\.jpg\)", PAGE) == list(gallery.SHEETS)
    assert {path.stem for path in (DOCS / "gallery").iterdir()} == set(gallery.SHEETS)


def test_every_sheet_is_a_small_file(gallery):
    for path in (DOCS / "gallery").iterdir():
        assert path.stat().st_size <= gallery.MOST, path
        assert load_image(path).shape[1] > 800, path


@pytest.mark.frameworks
def test_a_sheet_is_painted_and_written(gallery, tmp_path):
    gallery.main(str(tmp_path), "colors", "mask-hard", "protect")
    assert {path.name for path in tmp_path.iterdir()} == {"colors.jpg", "mask-hard.jpg", "protect.jpg"}
    assert set(gallery.colors()) == {"the photograph", "the painting", *(f"--color {mode}" for mode in MODES)}


@pytest.mark.frameworks
def test_where_no_painting_was_given_for_the_photograph_stays(gallery):
    """What the sheet says is what was done: the cup is in the middle, the table at the sides."""
    sheet = gallery.hard()
    part = sheet["no painting for the rest"]
    changed = np.abs(part - resize(sheet["the photograph"], part.shape[:2])).max(axis=-1)
    assert changed[:, :4].max() < 1e-3
    assert changed[:, 22:26].max() > 0.1


def test_a_sheet_larger_than_allowed_is_compressed_further(gallery, monkeypatch):
    noise = np.random.default_rng(0).random((200, 300, 3), np.float32)
    plenty = gallery.jpeg(noise)
    monkeypatch.setattr(gallery, "MOST", len(plenty) // 2)
    assert len(gallery.jpeg(noise)) <= len(plenty) // 2
