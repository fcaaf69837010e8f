"""`nst rerun`: a picture is made again from what it carries, and hostile pictures make nothing happen."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import images, save_image
from nst.persistence import provenance

pytestmark = pytest.mark.frameworks

PAIR = ["content.png", "style.png", "-o", "out.png"]
TINY = ["--sizes", "32,48", "--steps", "3,2", "--device", "cpu", "--weights", "compact"]


def same(one, other):
    return Path(one).read_bytes() == Path(other).read_bytes()


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"])
def test_the_same_bytes_come_out_with_every_optimizer(nst, here, optimizer):
    words = ["--optimizer", optimizer, "--init", "noise", "--seed", "5"]
    assert nst("stylize", *PAIR, *TINY, *words).code == 0
    done = nst("rerun", "out.png")
    assert done.code == 0
    assert same("out-again.png", "out.png")
    assert "was" not in done.err


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("out.jpg", ["--quality", "80"]),
        ("out.webp", []),
        ("out.tif", ["--bit-depth", "16"]),
        ("out.png", ["--bit-depth", "16", "--metadata", "strip", "--keep-profile"]),
    ],
)
def test_it_is_written_as_it_was(nst, here, name, words):
    assert nst("stylize", *PAIR[:2], "-o", name, *TINY, *words).code == 0
    assert nst("rerun", name, "-o", f"again{Path(name).suffix}").code == 0
    assert same(f"again{Path(name).suffix}", name)


@pytest.fixture
def parts(here, photo):
    """Words for a folder of two works, a mask with a style of its own, and what is held on to."""
    (here / "works").mkdir()
    for seed, name in enumerate(("works/a.png", "works/b.png", "sky.png", "face.png", "wave.png")):
        save_image(here / name, photo(36, 40, seed=seed + 2))
    words = ["--mask", "sky.png:wave.png,style.png", "--protect", "face.png"]
    return ["content.png", "works", "style.png", "-o", "out.png", *words]


def test_masks_and_folders_of_works_come_out_the_same(nst, here, parts):
    assert nst("stylize", *parts, *TINY, "--style-scale", "1,0.9,0.8,0.7").code == 0
    shutil.move("sky.png", "heaven.png")
    shutil.move("works/b.png", "b.png")
    save_image("works/0.png", images.load_image("style.png"))
    done = nst("rerun", "out.png")
    assert done.code == 0, done.err
    np.testing.assert_array_equal(images.load_image("out-again.png"), images.load_image("out.png"))
    assert {os.path.normpath(each.path) for each in provenance.read("out-again.png").inputs} >= {"heaven.png", "b.png"}
    assert nst("rerun", "out-again.png", "-o", "third.png").code == 0
    assert same("third.png", "out-again.png")


def test_another_mask_takes_the_place_of_the_old(nst, here, parts):
    assert nst("stylize", *parts, *TINY).code == 0
    done = nst("rerun", "out.png", "--mask", "face.png", "--protect", "sky.png")
    assert done.code == 0, done.err
    assert "mask: face.png in place of sky.png" in done.err
    made = provenance.read("out-again.png").inputs
    assert [(each.role, each.path) for each in made if each.role in ("mask", "protect")] == [
        ("mask", "face.png"),
        ("protect", "sky.png"),
    ]


def test_options_override_what_the_picture_says(nst, here):
    assert nst("stylize", *PAIR, *TINY, "--content-weight", "3").code == 0
    assert nst("rerun", "out.png", "--size", "64", "--steps", "2", "-o", "large.png").code == 0
    assert Image.open("large.png").size == (64, 48)
    made = provenance.read("large.png").recipe
    assert (made.size, made.sizes, made.steps, made.content_weight) == (64, (43, 64), (2,), 3)


def test_pictures_that_were_moved_are_found_by_their_bytes(nst, here, monkeypatch):
    assert nst("stylize", *PAIR, *TINY).code == 0
    (here / "away").mkdir()
    for old, new in (("content.png", "c.png"), ("style.png", "style.png"), ("out.png", "out.png")):
        shutil.move(old, here / "away" / new)
    (here / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    done = nst("rerun", "../away/out.png", "-o", "again.png")
    assert done.code == 0, done.err
    assert "content content.png is now ../away/c.png" in done.err
    np.testing.assert_array_equal(images.load_image("again.png"), images.load_image("../away/out.png"))


def test_what_is_gone_must_be_named(nst, here, photo):
    assert nst("stylize", *PAIR, *TINY).code == 0
    os.unlink("content.png")
    done = nst("rerun", "out.png", "--size", "x")
    assert done.code == 2
    assert [error.split(":")[0] for error in done.errors] == ["--size", "the content content.png is gone"]
    save_image("other.png", photo(36, 48, seed=9))
    done = nst("rerun", "out.png", "--content", "other.png")
    assert done.code == 0
    assert "content: other.png in place of content.png" in done.err


def test_what_is_not_as_it_was_is_said(nst, here, photo):
    assert nst("stylize", *PAIR, *TINY).code == 0
    record = provenance.read("out.png").to_dict()
    record["versions"] |= {"torch": "0.4", "nst-optimizers": "0.0.1"}
    record["weights"] = {"compact": "0" * 64}
    images.write("old.png", images.load_image("out.png"), text={"nst": json.dumps(record)})
    save_image("style.png", photo(40, 40, seed=9))
    done = nst("rerun", "old.png")
    assert done.code == 0
    for line in ("torch was 0.4, and is ", "nst-optimizers was 0.0.1", "the weights compact have changed"):
        assert line in done.err
    assert "style style.png has changed" in done.err


@pytest.fixture
def forged(nst, here, monkeypatch):
    """`forged(**changes)` is a picture whose record says other things."""
    assert nst("stylize", *PAIR, *TINY).code == 0
    record = provenance.read("out.png").to_dict()

    def make(**changes):
        recipe = record["recipe"] | changes.pop("recipe", {})
        text = json.dumps({**record, "recipe": recipe, **changes})
        return images.write(here / "forged.png", images.load_image("out.png"), text={"nst": text})

    return make


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"recipe": {"size": 100000, "sizes": [], "steps": [1]}}, "the picture would have 7,500,000,000 pixels"),
        ({"recipe": {"backend": "os:system"}}, "unknown backend 'os:system'"),
        ({"recipe": {"optimizer": "nst.cli:main"}}, "unknown optimizer 'nst.cli:main'"),
        ({"recipe": {"weights": ["/etc/passwd"]}}, "is not a safetensors file"),
        ({"recipe": {"init": "/etc/hostname.png"}}, "there is no file /etc/hostname.png"),
        ({"recipe": {"output": "x.png"}}, "unknown recipe field 'output'"),
        ({"inputs": [{"role": "report", "path": "x", "size": 1, "sha256": "", "style": 0}]}, "an input is invalid"),
        (
            {"inputs": [{"role": "mask", "path": "style.png", "size": 1, "sha256": "", "style": 0}]},
            "which style belongs to",
        ),
        ({"options": {"bit_depth": "64"}}, "unknown bit depth '64'"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_a_hostile_picture_is_refused_and_nothing_is_written(nst, here, forged, changes, message):
    picture = forged(**changes)
    before = {path: path.stat().st_mtime_ns for path in here.iterdir()}
    done = nst("rerun", picture)
    assert done.code == 2
    assert "Traceback" not in done.err
    assert message in done.err
    assert {path: path.stat().st_mtime_ns for path in here.iterdir()} == before


@pytest.mark.parametrize("path", ["/dev/zero", "/etc/passwd", "../../../../etc/hostname", "\0", "-o"])
def test_a_hostile_path_is_read_as_a_picture_or_not_at_all(nst, here, forged, path):
    picture = forged(inputs=[{"role": "content", "path": path, "size": 1, "sha256": ""}])
    done = nst("rerun", picture, "--style", "style.png")
    assert done.code == 2
    assert done.errors
    assert not (here / "forged-again.png").exists()


def test_a_plugin_that_is_gone_is_named_with_its_version(nst, here, forged):
    versions = {"nst": "0.1.0", "nst-mosaic": "1.2", "nst-torch": "0.1.0", "numpy": "1.0", "-x": "1", "nst-x": "a; b"}
    picture = forged(recipe={"optimizer": "mosaic"}, versions=versions)
    done = nst("rerun", picture)
    assert (done.code, done.errors) == (2, ["unknown optimizer 'mosaic'"])
    notes = [line for line in done.err.splitlines() if "not installed" in line]
    assert notes == [
        f"{picture} was made with nst-mosaic 1.2, which is not installed; if you trust it: pip install nst-mosaic==1.2"
    ]


def test_a_terminal_is_shown_no_commands(nst, here, forged):
    done = nst("rerun", forged(recipe={"backend": "\x1b[2Jevil"}, versions={"torch": "\x1b]0;evil\x07"}))
    assert done.code == 2
    assert "\x1b" not in done.err


def test_a_picture_that_nst_has_not_made_says_nothing(nst, here):
    done = nst("rerun", "content.png")
    assert (done.code, done.errors) == (2, ["content.png contains no provenance record"])


def test_a_new_size_scales_the_sizes_keeps_the_steps_and_says_so(nst, here):
    """Of a recipe file and of a picture alike, and in the estimate."""
    (here / "own.toml").write_text("sizes = [32, 48, 64]\nsteps = [3, 2, 1]\n")
    words = ["--recipe", "own.toml", "--size", "48", *TINY[4:]]
    note = "the recipe's sizes 32,48,64 are scaled to 24,36,48; its steps stay 3,2,1"
    shallow = ["--style-layers", "relu1_1", "--content-layers", "relu1_1"]
    done = nst("stylize", *PAIR, *words, *shallow)
    assert note in done.err.splitlines()
    assert "24 px × 3 → 36 px × 2 → 48 px × 1" in done.err
    estimated = json.loads(nst("estimate", *PAIR[:2], *words, *shallow, "--json").out)
    assert [(part["size"], part["steps"]) for part in estimated["sizes"]] == [(24, 3), (36, 2), (48, 1)]
    assert estimated["notes"][0] == note
    again = nst("rerun", "out.png", "--size", "96", "--report", "run.json")
    assert "the recipe's sizes 24,36,48 are scaled to 48,72,96; its steps stay 3,2,1" in again.err.splitlines()
    report = json.loads((here / "run.json").read_text())
    assert (report["sizes"], report["steps"]) == ([48, 72, 96], [3, 2, 1])
