"""`nst report`, and `--report` with the name of a page or a picture."""

from __future__ import annotations

import pytest
from PIL import Image

PAIR = ["content.png", "style.png", "-o", "out.png"]


@pytest.mark.frameworks
def test_a_report_becomes_a_page_or_a_picture(nst, here, fast):
    assert nst("stylize", *PAIR, *fast, "--report", "run.json").code == 0
    assert nst("report", "run.json").out == "run.html\n"
    assert nst("report", "run.json", "-o", "run.png").out == "run.png\n"
    assert "3 steps in" in (here / "run.html").read_text("utf-8")
    assert Image.open("run.png").width == 1440


@pytest.mark.frameworks
def test_a_run_writes_either_by_itself(nst, here, fast):
    for name, head in (("run.html", b"<!doctype html>"), ("run.PNG", b"\x89PNG"), ("run.txt", b"{\n")):
        assert nst("stylize", *PAIR, *fast, "--report", name).code == 0
        assert (here / name).read_bytes().startswith(head)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["gone.json"], "cannot read 'gone.json'"),
        (["content.png"], "is not JSON"),
        (["gone.json", "-o", "run.pdf"], "'run.pdf' is neither a page nor a picture"),
    ],
)
def test_mistakes_are_told(nst, here, words, message):
    done = nst("report", *words)
    assert done.code == 2
    assert message in done.errors[0]
    assert not list(here.glob("run*"))
