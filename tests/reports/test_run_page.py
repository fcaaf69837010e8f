"""Test the page of a report: curves, facts, notes, and no request to another host."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from nst.reports import run_page
from nst.reports.curves import LEFT, RIGHT, WIDTH


def words(text: str) -> str:
    texts: list[str] = []
    parser = HTMLParser()
    parser.handle_data = texts.append
    parser.feed(text)
    return " ".join(texts)


def test_the_page_shows_curves_facts_and_notes(report):
    page = run_page.render(report)
    assert page.count("<svg") == 2
    assert page.count("<polyline") == 3 + 3
    text = words(page)
    for part in ("gram relu2_1", "48 px", "64 px", "--optimizer adam", "interrupted", "a <note>", "12.3 s"):
        assert part in text, part
    assert "3 steps in 12.3 s. The loss was 7 at the first step, and 2.333 at its lowest." in text
    assert "<note>" not in page


def test_the_page_sends_no_request(report):
    page = run_page.render(report)
    assert not re.search(r"(https?:)?//[a-z]", page)
    assert "default-src 'none'" in page


def test_a_size_is_marked_at_its_first_step(report):
    (left, right) = sorted({float(x) for x in re.findall(r'<line x1="([\d.]+)" x2="\1"', run_page.render(report))})
    assert (left, right) == (LEFT, WIDTH - RIGHT), "the first and the last of three steps"


def test_a_run_of_one_pass_has_no_curves(report):
    page = run_page.render({**report, "history": [], "sizes": [64], "steps": [0]})
    assert "<svg" not in page
    assert "paints in one pass" in page
