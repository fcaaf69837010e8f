"""What the tests of series share: a folder of photos and paintings, and pictures painted in this process."""

from __future__ import annotations

from pathlib import Path

import pytest

from conftest import OWN, entry
from nst.images import save_image
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe


@pytest.fixture(scope="session")
def painters() -> Plugins:
    """Ours and the examples, one of whose executors paints here."""
    offered = OWN | {"nst-example": "nst_example"}
    return Plugins([entry(name, module) for name, module in offered.items()], strict=True)


@pytest.fixture
def recipe() -> Recipe:
    """One pass, in NumPy."""
    return Recipe(backend="example-image-backend", size=24)


@pytest.fixture
def desk(tmp_path, photo, monkeypatch) -> Path:
    """The current folder, with `photos/cat.png`, `photos/dog.png`, `paintings/sea.png` and `paintings/sky.png`."""
    for seed, name in enumerate(("photos/cat.png", "photos/dog.png", "paintings/sea.png", "paintings/sky.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_image(tmp_path / name, photo(18, 24, seed=seed))
    monkeypatch.chdir(tmp_path)
    return tmp_path
