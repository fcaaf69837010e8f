"""The papers' experiments as data: each can be read, says where it is from, and in what it departs."""

from __future__ import annotations

import pytest

from nst.compare import grid, papers
from nst.errors import UserError
from nst.recipe.recipe import presets, read_fields


@pytest.mark.parametrize("name", papers.names())
def test_an_experiment_is_whole(name):
    paper = papers.find(name)
    assert paper.title.isascii(), "Pillow's font, for the sheet, has little else"
    assert "Gatys" in paper.source
    assert paper.departures
    assert paper.preset in presets()
    for panel in paper.panels:
        assert panel.note
        assert read_fields(panel.recipe)[1] == []
        varied = [grid.read_vary(text)[0] for text in panel.vary]
        assert varied
        assert not set(varied) & panel.recipe.keys(), "set and varied"


def test_an_unknown_one_is_corrected():
    with pytest.raises(UserError, match="unknown experiment 'fig2'") as caught:
        papers.find("fig2")
    assert "fig1" in caught.value.hint
