"""Everything wrong with a comparison is said at once, before anything runs or is written."""

from __future__ import annotations

import pytest

pytestmark = pytest.mark.frameworks

PAIR = ("content.png", "style.png")


def said(outcome) -> tuple[list[str], list[str]]:
    lines = outcome.err.splitlines()
    return tuple([line.partition(": ")[2] for line in lines if line.startswith(word)] for word in ("error", "hint"))


def test_every_mistake_in_any_cell_comes_at_once(compare):
    wrong = ("nowhere.png", "style.png", "--backends", "torch-vgg19,torch-vg16", "--vary", "optimizer=adam,lbgfs")
    found = compare(*wrong, "--content-layers", "relu9_9", "--jobs", "0", output="never")
    errors, hints = said(found)
    assert found.code == 2
    for words in ("nowhere.png", "torch-vg16", "'lbgfs'", "relu9_9", "--jobs"):
        assert len([error for error in errors if words in error]) == 1, (words, errors)
    assert "did you mean lbfgs?" in hints
    assert not found.folder.exists()


def test_a_framework_that_is_missing_names_its_pip_line(compare):
    found = compare(
        *PAIR, "--backends", "right,absent", "--weights", "small.safetensors", "--size", "48", output="never"
    )
    assert found.code == 2
    assert said(found) == (["'absent' needs no_such_framework"], ["pip install nst-absent"])


@pytest.mark.parametrize(
    ("words", "error"),
    [
        ((*PAIR,), "nothing to compare"),
        (("content.png", "--backends", "right"), "give a content and a style"),
        ((*PAIR, "--vary", "optimizer=adam"), "fewer than two values"),
        ((*PAIR, "--vary", "optimzer=adam,lbfgs"), "unknown recipe field in --vary: 'optimzer'"),
        ((*PAIR, "--vary", "style-layers=relu1_1,relu2_1"), "fewer than two values"),
        ((*PAIR, "--vary", "seed=1,2", "--vary", "seed=3,4"), "seed is given twice"),
        ((*PAIR, "--vary", "size=48,sixty"), "--size: must be a whole number"),
        ((*PAIR, "--vary", "seed=1,2", "--seed", "3"), "--seed is both set and varied"),
        ((*PAIR, "--backends", "right@a.safetensors", "--vary", "weights=b,c"), "weights is given twice"),
        (("style.png", "--against", *PAIR, "--seed", "3"), "--against judges finished pictures"),
        (("style.png", "--against", *PAIR, "--judge", "no.safetensors"), "no weights file at 'no.safetensors'"),
        (("style.png", "--against", "content.png", "gone.png"), "there is no file gone.png"),
    ],
)
def test_what_does_not_go_together_is_refused(compare, words, error):
    found = compare(*words, output="never")
    assert found.code == 2
    assert [line for line in said(found)[0] if error in line], found.err
    assert not found.folder.exists()


def test_a_page_of_somebody_else_s_is_not_written_over(compare, desk):
    site = desk / "site"
    site.mkdir()
    (site / "index.html").write_text("<h1>my site</h1>")
    found = compare("style.png", "--against", *PAIR, output="site")
    assert found.code == 2
    assert "is another page" in found.err
    assert (site / "index.html").read_text() == "<h1>my site</h1>"
    assert compare("style.png", "--against", *PAIR, output="content.png").code == 2
