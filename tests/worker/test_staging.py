"""Pictures behind URLs: painted as if they lay here, told of by their URLs, and nothing of them is left here."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import pytest

from conftest import entry
from nst import images
from nst.errors import UserError
from nst.orders import Done, Failed, Order
from nst.plugins.host import Plugins
from nst.worker.painter import Painter
from nst.worker.staging import Staging

fsspec = pytest.importorskip("fsspec")
RECIPE = {"backend": "example-image-backend", "size": 24}


@pytest.fixture
def bucket(tmp_path, photo, monkeypatch):
    """`memory://bucket` with two pictures, which are in the current folder too; nothing else is near."""
    system = fsspec.filesystem("memory")
    system.store.clear()
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate(("cat.png", "sea.png")):
        images.save_image(name, photo(18, 24, seed=seed))
        system.pipe(f"/bucket/{name}", Path(name).read_bytes())
    near = tmp_path / "near"
    near.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(near))
    return system


@pytest.fixture
def painter():
    return Painter(Plugins([entry("nst", "nst.builtin_plugins"), entry("nst-example", "nst_example")], strict=True))


def order(**changes) -> Order:
    usual = {"content": "memory://bucket/cat.png", "styles": ["memory://bucket/sea.png"], "recipe": RECIPE}
    return Order(**{**usual, "output": "memory://bucket/out/a.png", **changes})


def test_a_picture_from_there_and_back_is_the_one_painted_here(bucket, painter):
    assert isinstance(painter.paint(order()), Done)
    assert isinstance(painter.paint(order(content="cat.png", styles=["sea.png"], output="here.png")), Done)
    Path("there.png").write_bytes(bucket.cat("/bucket/out/a.png"))
    assert (images.load_image("there.png") == images.load_image("here.png")).all()
    inputs = json.loads(images.read_text("there.png"))["inputs"]
    assert [each["path"] for each in inputs] == ["memory://bucket/cat.png", "memory://bucket/sea.png"]
    assert list(Path("near").iterdir()) == []


def test_one_that_is_there_is_kept(bucket, painter):
    painter.paint(order())
    assert painter.paint(order(fresh=False)).stopped == "kept"
    bucket.pipe("/bucket/cat.png", bucket.cat("/bucket/sea.png"))
    assert painter.paint(order(fresh=False)).stopped == "finished"


def test_what_is_wrong_with_a_file_is_told_by_its_url(bucket, painter):
    bucket.pipe("/bucket/cat.png", b"PK\x03\x04")
    failed = painter.paint(order())
    assert isinstance(failed, Failed)
    assert failed.message == "memory://bucket/cat.png is not a picture Pillow can read"
    assert painter.paint(order(content="memory://bucket/gone.png")).message == "there is no memory://bucket/gone.png"
    assert list(Path("near").iterdir()) == []


def test_paths_stay_what_they_are(bucket):
    with Staging() as nearby:
        assert nearby.bring("cat.png") == "cat.png"
        nearby.send("cat.png")
        assert nearby.names == {}


def test_files_of_one_name_lie_apart(bucket):
    bucket.pipe("/bucket/sub/cat.png", b"other")
    with Staging() as nearby:
        first, second = (nearby.bring(f"memory://bucket/{name}") for name in ("cat.png", "sub/cat.png"))
        assert Path(first).name == Path(second).name == "cat.png"
        assert Path(second).read_bytes() == b"other"
    with pytest.raises(UserError), Staging() as nearby:
        nearby.bring("memory://bucket/gone")
