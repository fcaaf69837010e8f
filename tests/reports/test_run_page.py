"""A run's report as a page: curves, facts and notes, and no request to anywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from nst.reports import run_page


def words(text: str) -> str:
    found: list[str] = []
    parser = HTMLParser()
    parser.handle_data = found.append
    parser.feed(text)
    return " ".join(found)


def test_it_shows_curves_facts_and_notes(report):
    made = run_page.render(report)
    assert made.count("<svg") == 2
    assert made.count("<polyline") == 3 + 3
    text = words(made)
    for each in ("gram relu2_1", "48 px", "64 px", "--optimizer adam", "interrupted", "a <note>", "12.3 s"):
        assert each in text, each
    assert "3 steps in 12.3 s; loss 7 at first, 2.333 at its lowest." in text
    assert "<note>" not in made


def test_it_asks_nobody_for_anything(report):
    made = run_page.render(report)
    assert not re.search(r"(https?:)?//[a-z]", made)
    assert "default-src 'none'" in made


def test_a_size_is_marked_at_its_first_step(report):
    (left, right) = sorted({float(x) for x in re.findall(r'<line x1="([\d.]+)" x2="\1"', run_page.render(report))})
    assert (left, right) == (56, 708), "the first and the last of three steps"


def test_one_pass_is_said_to_have_no_steps(report):
    made = run_page.render({**report, "history": [], "sizes": [64], "steps": [0]})
    assert "<svg" not in made
    assert "Painted in one pass" in made
