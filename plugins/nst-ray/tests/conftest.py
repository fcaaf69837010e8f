"""One small Ray for all tests of this folder, since to start it takes longer than to paint a picture; and a desk."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from nst.images import save_image


@pytest.fixture(scope="session")
def cluster():
    """A Ray of two places."""
    ray = pytest.importorskip("ray")
    from nst_ray.cluster import STORE

    ray.init(address="local", num_cpus=2, include_dashboard=False, object_store_memory=STORE, log_to_driver=False)
    yield ray
    ray.shutdown()


@pytest.fixture
def recipe() -> dict[str, Any]:
    """Two steps in NumPy, where `steps` says no other."""
    layers = {"style_layers": {"relu1_1": 1}, "content_layers": {"relu1_1": 1}}
    descent = {"optimizer": "adam", "size": 24, "levels": 1, "steps": 2, "device": "cpu"}
    return {"backend": "example-backend", **layers, **descent}


@pytest.fixture
def desk(tmp_path, photo, monkeypatch) -> Path:
    """The current folder, with six photos and `sea.png`."""
    (tmp_path / "photos").mkdir()
    for number in range(6):
        save_image(tmp_path / "photos" / f"{number}.png", photo(18, 24, seed=number))
    save_image(tmp_path / "sea.png", photo(18, 24, seed=9))
    monkeypatch.chdir(tmp_path)
    return tmp_path
