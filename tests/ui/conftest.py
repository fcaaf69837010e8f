"""Fixtures for the tests of the page: a service with plugins that need no framework, and uploaded images."""

from __future__ import annotations

import struct
import time
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from nst.images import save_image
from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.ui.form import Form
from nst.ui.run_state import RunState
from nst.ui.service import PaintRequest, Service
from nst.ui.uploads import Limits
from nst.ui.worker_pool import WorkerPool
from nst.worker.client import Worker

OWN = {
    **{"nst": "nst.losses", "nst-optimizers": "nst_optimizers", "nst-initializers": "nst_initializers"},
    **{"nst-torch": "nst_torch", "nst-tfhub": "nst_tfhub", "nst-example": "nst_example"},
}
SMALL = {
    **{"backend": "example-backend", "style_layers": "relu1_1=1,relu2_1=1", "content_layers": "relu2_1=1"},
    **{"size": 32, "levels": 1, "steps": "4", "optimizer": "adam"},
}


def wait_until(condition: Callable[[], Any], seconds: float = 30) -> Any:
    """Wait up to `seconds` for a condition to become true. Return its last value."""
    end = time.monotonic() + seconds
    while not (value := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return value


def huge_png(path: Path, side: int) -> Path:
    """Write a PNG of a few hundred bytes whose header gives a large size."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")
    )
    return path


def over(run: RunState) -> RunState:
    """Wait for the end of a run, and return the run."""
    assert wait_until(lambda: run.over), run.state
    return run


@pytest.fixture(scope="session")
def offered() -> Plugins:
    return Plugins([EntryPoint("nst.v1", name, module, name, "0.1.0") for name, module in OWN.items()], strict=True)


@pytest.fixture(scope="session")
def form(offered) -> Form:
    return Form(offered)


@pytest.fixture(scope="module")
def studio() -> Iterator[WorkerPool]:
    """Return a worker pool for all tests of a module, so that its process starts once."""
    studio = WorkerPool(Worker)
    yield studio
    studio.close()


@pytest.fixture
def host(offered, form, studio, monkeypatch) -> Iterator[Service]:
    monkeypatch.setattr("nst.ui.service.WARM", 3600)  # the next test has the same workers
    host = Service(offered, studio, form, Limits(size=2_000_000, pixels=1_000_000, pictures=3))
    yield host
    host.visitors.close()


@pytest.fixture
def uploaded(host, photo) -> Callable[..., str]:
    """Return a function that writes an image to the upload folder: `uploaded("sky.jpg", seed=2)`."""

    def upload(name: str, height: int = 36, width: int = 48, seed: int = 0) -> str:
        folder = host.visitors.cache / f"{len(list(host.visitors.cache.iterdir()))}"
        folder.mkdir()
        return str(save_image(folder / name, photo(height, width, seed=seed)))

    return upload


@pytest.fixture
def wish(uploaded) -> PaintRequest:
    """Return a request for a small picture that needs no framework."""
    return PaintRequest(uploaded("cat.png"), [uploaded("sea.png", 40, 40, seed=1)], SMALL)


@pytest.fixture
def outside(tmp_path, photo) -> Path:
    """Return an image file that was not uploaded."""
    return save_image(tmp_path / "private.png", photo())
