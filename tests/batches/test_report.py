"""The report of a series: every row, every word of it escaped, and nothing from elsewhere."""

from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser

from hypothesis import given
from hypothesis import strategies as st

from nst.batches.report import COLUMNS, Painted, format_summary, page, table

NASTY = '<script>alert("1")</script>&,;"\n\'=cmd'


def painted(number=1, status="finished", **fields) -> Painted:
    names = {"content": "photos/cat.png", "styles": ["sea.png"], "output": "cat--sea.png"}
    return Painted(number, status=status, **{**names, **fields})


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0\r")))
def test_whatever_the_words_they_are_read_back_from_the_table(words):
    rows = list(csv.DictReader(io.StringIO(table([painted(message=words, styles=[words])]), newline="")))
    assert [(row["message"], row["style"]) for row in rows] == [(words, words)]
    assert tuple(rows[0]) == COLUMNS


class Sources(HTMLParser):
    """Every tag of a page, and where its links lead."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.links = [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.links += [value for name, value in attributes if name in ("src", "href")]


@given(st.text(max_size=20).map(lambda text: NASTY + text))
def test_whatever_the_words_they_are_no_html(words):
    words = words.replace("/", "-")
    found = Sources(page([painted(content=words, output=f"{words}.png"), painted(2, "failed", message=words)], 2))
    assert "script" not in found.tags
    assert all(re.match(r"(data:|[^:/]*%3Cscript)", link) for link in found.links)


def test_failures_come_first_and_pictures_are_looked_for_beside_the_page():
    text = page([painted(output="sub/a b.png"), painted(2, "failed", message="no room", hint="make some")], 3)
    assert text.index("no room") < text.index("sub/a%20b.png")
    assert '<img src="sub/a%20b.png" alt="cat.png like sea.png" loading="lazy">' in text
    assert "make some" in text


def test_what_no_browser_shows_is_a_link():
    found = Sources(page([painted(output="a.tif")], 1))
    assert "img" not in found.tags
    assert "a.tif" in found.links


def test_a_summary_counts_each_kind():
    found = [painted(), painted(2, "kept"), painted(3, "kept"), painted(4, "failed")]
    assert format_summary(found, 9) == "3 of 9 pictures: 1 finished, 2 kept, 1 failed"
    assert format_summary([], 9) == "0 of 9 pictures"
