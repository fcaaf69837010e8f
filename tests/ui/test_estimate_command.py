"""Test the estimate of time and memory on the page."""

from __future__ import annotations

import re

import pytest

from nst.recipe.recipe import Recipe
from nst.ui import estimate_command


@pytest.mark.frameworks
def test_an_estimate_is_asked_of_the_command_line(tmp_path, photo, monkeypatch):
    from nst.images import save_image

    content, style = (str(save_image(tmp_path / f"{i}.png", photo(36, 48, seed=i))) for i in range(2))
    layers = {"style_layers": "relu1_1=1", "content_layers": "relu2_1=1"}
    recipe = Recipe(backend="example-backend", size=32, levels=1, steps=4, **layers)
    command = estimate_command.start_command(content, [style], recipe, tmp_path, 10**6)
    command.run()
    assert command.errors() == []
    said = r"about \d+ s(, plus \d+ s to start)?, on cpu"
    assert re.fullmatch(said, estimate_command.summary(command.outputs[0]))
