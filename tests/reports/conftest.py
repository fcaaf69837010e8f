"""Fixtures for the tests of reports."""

from __future__ import annotations

import json

import pytest

from nst.recipe.recipe import Recipe


@pytest.fixture
def report():
    """Return the report of two steps at 48 px and one at 64 px, with three terms."""
    terms = {"gram relu1_1": 4.0, "gram relu2_1": 2.0, "content relu4_2": 1.0}
    history = [
        {
            "step": step,
            "size": size,
            "loss": 7.0 / step,
            "terms": {n: v / step for n, v in terms.items()},
            "seconds": 0.5,
        }
        for step, size in ((1, 48), (2, 48), (3, 64))
    ]
    recipe = Recipe(size=64, optimizer="adam", style_layers="relu1_1,relu2_1=0.5", until=1e-3).to_dict()
    facts = {"backend": "torch-vgg19", "device": "cpu", "precision": "float32", "weights": "compact"}
    numbers = {"sizes": [48, 64], "steps": [2, 3], "seconds": 12.34, "peak_memory": 5e8, "versions": {"nst": "1"}}
    rest = {"recipe": recipe, "stopped": "interrupted", "notes": ["a <note>"], "history": history}
    return json.loads(json.dumps({**facts, **numbers, **rest}))
