"""`nst demo`: from nothing to a painted photograph, and a sheet to look at."""

from __future__ import annotations

import sys

import pytest
from PIL import Image

from nst.images import fit
from nst.reports.side_by_side import MARGIN

pytestmark = pytest.mark.frameworks


@pytest.fixture
def demo(nst, here, weights):
    """`demo(*words)`: a small one in the folder `shown`."""
    pytest.importorskip("skimage")
    small = ["--size", "64", "--levels", "1", "--steps", "3", "--device", "cpu", "--weights", weights]
    return lambda *words: nst("demo", "-o", here / "shown", *small, *words)


@pytest.mark.slow
def test_four_pictures_and_the_sheet_shows_three_of_them(demo, here):
    done = demo("--photo", "coffee")
    assert (done.code, done.out) == (0, "")
    assert done.err.splitlines()[1].startswith("torch-vgg19 on cpu, ")
    assert (
        done.err.splitlines()[-1]
        == f"Saved {here / 'shown' / 'sheet.png'}: photograph, painting and result side by side"
    )
    pictures = {path.stem: Image.open(path) for path in (here / "shown").iterdir()}
    assert set(pictures) == {"content", "style", "result", "sheet"}
    assert pictures["result"].size == (64, 43)
    assert "nst" in pictures["result"].text
    height = 384
    widths = [
        fit(tall, wide, round(max(tall, wide) * height / tall))[1]
        for wide, tall in (pictures[each].size for each in ("content", "style", "result"))
    ]
    assert pictures["sheet"].width == sum(widths) + 4 * MARGIN


@pytest.mark.slow
def test_quiet_prints_nothing(demo):
    done = demo("--quiet")
    assert (done.code, done.out, done.err) == (0, "", "")


def test_mistakes_are_found_before_anything_is_written(demo, here):
    done = demo("--optimizer", "lbgfs", "--steps", "0")
    assert done.code == 2
    assert len(done.errors) == 2
    assert not (here / "shown").exists()


def test_a_folder_that_cannot_be_made(demo, here):
    (here / "shown").touch()
    done = demo()
    assert done.code == 2
    assert done.errors == [f"cannot create the folder '{here / 'shown'}': File exists"]


def test_without_its_photographs_it_says_what_to_install(nst, here, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    done = nst("demo", "-o", here / "shown")
    assert done.code == 2
    assert "needs scikit-image" in done.errors[0]
    assert done.hints == ["pip install 'nst[demo]'"]
    assert not (here / "shown").exists()
