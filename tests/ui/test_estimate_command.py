"""Test the estimate of time and memory on the page."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from nst.orders import Done, Failed, Order
from nst.recipe.recipe import Recipe
from nst.ui import estimate_command
from nst.worker.client import Worker


def ended(worker: Worker, order: Order) -> Done | Failed:
    *_, outcome = worker.paint(order)
    return outcome


@pytest.mark.frameworks
def test_an_estimate_is_made_by_a_worker(tmp_path, photo):
    from nst.images import save_image

    content, style = (str(save_image(tmp_path / f"{i}.png", photo(36, 48, seed=i))) for i in range(2))
    layers = {"style_layers": "relu1_1=1", "content_layers": "relu2_1=1"}
    recipe = Recipe(backend="example-backend", size=32, levels=1, steps=4, **layers)
    order = estimate_command.estimate_order(content, [style], recipe, 10**6)
    with Worker() as worker:
        first, second = (ended(worker, order).report for _ in range(2))
        failed = ended(worker, replace(order, content="gone.png"))
    assert re.fullmatch(r"about \d+ s(, plus \d+ s to start)?, on cpu", estimate_command.summary(first))
    assert second["start"] < first["start"], "the backend is loaded"
    assert (failed.mistake, failed.message) == (True, "there is no file gone.png")
