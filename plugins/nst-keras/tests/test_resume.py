"""A run on this backend goes on from its checkpoint, and is made again, to the last bit."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from nst import Recipe, save_image
from nst.job import Job, Sources
from nst.persistence import checkpoint, recorded_job
from nst.persistence.checkpoint import Checkpoint
from nst.vgg import network

pytestmark = pytest.mark.frameworks


@pytest.fixture
def here(tmp_path, photo, make_network, monkeypatch):
    save_image(tmp_path / "content.png", photo(36, 48))
    save_image(tmp_path / "style.png", photo(40, 40, seed=1))
    network.write(tmp_path / "small.safetensors", make_network())
    monkeypatch.chdir(tmp_path)
    return tmp_path


SMALL = {"backend": "keras-vgg19", "weights": "small.safetensors", "sizes": "32,48", "steps": "3,4", "device": "cpu"}
LAYERS = {"content_layers": "relu2_2", "style_layers": "relu1_1,relu2_1"}


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "laplacian-rmsprop"])
def test_a_run_goes_on_from_its_checkpoint_to_the_very_same_picture(plugins, here, optimizer):
    """NumPy's arrays throughout: within each size, and at the end of one."""
    recipe = Recipe(**SMALL, **LAYERS, optimizer=optimizer, average=0.5)

    def job():
        return Job(Sources("content.png", ["style.png"]), recipe, plugins)

    def keep(progress):
        checkpoint.write(Path(f"{progress.step}.nst"), {}, progress.snapshot())

    whole = job().stylize(keep)
    for step in (2, 3, 5):
        again = job()
        found = again.stylize(resume=recorded_job.snapshot(Checkpoint(Path(f"{step}.nst")), again))
        np.testing.assert_array_equal(found.pixels, whole.pixels)
        assert [row["loss"] for row in found.history] == [row["loss"] for row in whole.history]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam", "laplacian-rmsprop", "scipy-lbfgs"])
def test_a_picture_is_made_again_to_the_same_bytes(plugins, here, monkeypatch, optimizer):
    from nst.cli.app import run

    monkeypatch.setattr("nst.plugins.host.discover", lambda: [plugin.entry for plugin in plugins.installed])
    layers = [f"--{name.replace('_', '-')}={value}" for name, value in (SMALL | LAYERS).items()]
    assert run(["stylize", "content.png", "style.png", "-o", "out.png", "--optimizer", optimizer, *layers]) == 0
    assert run(["rerun", "out.png"]) == 0
    assert Path("out-again.png").read_bytes() == Path("out.png").read_bytes()
