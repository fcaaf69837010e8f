"""A task goes in; a slim network in nobody's order but the seed's comes out, and a report."""

from __future__ import annotations

import numpy as np
import pytest

from nst.vgg.network import read, write
from nst_torch.compress.compressor import compress
from nst_torch.compress.stack import fixed
from nst_torch.vgg import VGG

pytestmark = pytest.mark.frameworks


def quiet(_):
    pass


def test_the_same_seed_gives_the_same_bytes_and_another_gives_others(task, tmp_path):
    files = []
    for name, seed in (("first", 0), ("again", 0), ("other", 1)):
        network = compress(task(seed=seed), quiet).network
        tensors = [*network.kernels.values(), *network.biases.values()]
        files.append(b"".join(tensor.astype(np.float16).tobytes() for tensor in tensors))
        write(tmp_path / name, network, dtype="float16")
    assert files[0] == files[1] != files[2]
    assert (tmp_path / "first").read_bytes() == (tmp_path / "again").read_bytes()


@pytest.mark.parametrize(("architecture", "preprocessing"), [("vgg16", "torchvision"), ("vgg19", "caffe")])
def test_the_network_runs_like_any_other(task, tmp_path, make_network, photo, architecture, preprocessing):
    given = task(teacher=make_network(architecture, preprocessing))
    network = read(write(tmp_path / "slim", compress(given, quiet).network, dtype="float16"))
    assert tuple(len(bias) for bias in network.biases.values()) == given.widths
    assert network.preprocessing.name == "torchvision"
    backend = VGG(network, device="cpu", precision="float32")
    found = backend.features(backend.asarray(photo(32, 32)), ["relu1_1"])["relu1_1"]
    pixels = fixed(network).relus(backend.asarray(photo(32, 32)).permute(2, 0, 1)[None])
    np.testing.assert_allclose(found, next(pixels)[1][0].permute(1, 2, 0), rtol=1e-4, atol=1e-5)


def test_who_made_the_network_of_what_is_written_in_it(task):
    network = compress(task(steps=(1, 0), seed=3), quiet).network
    for fact in ("VGG-19 (Simonyan & Zisserman)", "seed 3", "1 steps", "widths 2,2,3,3", "teacher: random"):
        assert fact in network.source
    assert network.license == "CC0-1.0"


def test_the_report_measures_pictures_held_out(task):
    given = task(steps=(1, 0))
    report = compress(given, quiet).report
    assert report["pictures"] == {"used": 23, "held out": 1, "unreadable": 2}
    assert [row["layer"] for row in report["layers"]] == list(given.teacher.kernels)
    assert [row["channels"] for row in report["layers"]] == list(given.widths)
    assert all(0 < row["explained"] <= 1 for row in report["layers"])
    assert all(row["trained activations"] >= 0 for row in report["layers"])
    assert set(report["seconds"]) == {"reading pictures", "closed form", "training"}


def test_without_training_the_closed_form_is_the_result(task):
    stages = []
    done = compress(task(steps=(0, 0)), lambda progress: stages.append(progress.stage))
    assert not done.interrupted
    assert set(stages) == {"reading pictures", "closed form"}
    for row in done.report["layers"]:
        assert row["trained gram"] == pytest.approx(row["closed form gram"], abs=0.02)


@pytest.mark.parametrize("steps", [(9, 0), (0, 9), (1, 8), (2, 7)])
def test_ctrl_c_in_training_keeps_the_network_so_far(task, steps):
    def stop(progress):
        if progress.stage == "training" and progress.done == 2:
            raise KeyboardInterrupt

    done = compress(task(steps=steps), stop)
    assert done.interrupted
    assert done.report["steps"] == 2
    assert "2 steps" in done.network.source


def test_ctrl_c_once_it_is_trained_keeps_the_network(task, monkeypatch):
    """Who has stopped the training presses again where the measuring takes long."""

    def impatient(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("nst_torch.compress.compressor.measure", impatient)
    done = compress(task(steps=(1, 0)), quiet)
    assert done.interrupted
    assert "1 steps" in done.network.source
    assert not done.report["layers"]


def test_ctrl_c_before_there_is_a_network_stops(task):
    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        compress(task(), stop)


def test_each_step_can_show_the_network_so_far(task):
    shown = []
    compress(task(steps=(1, 1)), lambda progress: shown.append(progress.network() if progress.network else None))
    assert ["1 steps" in network.source for network in shown[-2:]] == [True, False]
