"""What a picture will take, as `nst estimate` says it and as the page does."""

from __future__ import annotations

import json

import pytest

from nst.recipe import Recipe
from nst.ui import expectation

SAID = {"device": "cpu", "seconds": 41.6, "memory": 1_240_000_000, "start": 5.1, "at_least": False}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "about 0:00:42 and 1.2 GB, on cpu; 0:00:05 to start"),
        ({"start": 0.2}, "about 0:00:42 and 1.2 GB, on cpu"),
        ({"at_least": True, "start": 0}, "about 0:00:42 and at least 1.2 GB, on cpu"),
        ({"seconds": None, "start": 0}, "1.2 GB, on cpu"),
        ({"seconds": None, "memory": None, "start": 0}, "time and memory are unknown, on cpu"),
    ],
)
def test_an_estimate_is_a_line(change, words):
    assert expectation.words(json.dumps(SAID | change)) == words


@pytest.mark.frameworks
def test_an_estimate_is_asked_of_the_command_line(tmp_path, photo, monkeypatch):
    from nst.images import save_image

    content, style = (str(save_image(tmp_path / f"{i}.png", photo(36, 48, seed=i))) for i in range(2))
    layers = {"style_layers": "relu1_1=1", "content_layers": "relu2_1=1"}
    recipe = Recipe(backend="example-backend", size=32, levels=1, steps=4, **layers)
    errand = expectation.ask(content, [style], recipe, tmp_path, 10**6)
    errand.run()
    assert errand.mistakes() == []
    assert "on cpu" in expectation.words(errand.said[0])
