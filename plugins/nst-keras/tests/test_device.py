"""The device is what was asked for, or an error; an idle GPU is pointed out."""

from __future__ import annotations

import pytest

from nst import devices
from nst.errors import UserError
from nst_keras import device
from nst_keras.tensorflow_import import tensorflow as tf

pytestmark = pytest.mark.frameworks
GPU = bool(tf.config.list_physical_devices("GPU"))


@pytest.fixture
def gpu(monkeypatch):
    """A TensorFlow that says it has a GPU, and what it was told about it."""
    told = []
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: ["a GPU"])
    monkeypatch.setattr(tf.config, "set_visible_devices", lambda *found: told.append(found))
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", lambda *found: told.append(found))
    return told


def test_auto_takes_the_fastest_there_is():
    assert device.choose("auto")[0] == ("cuda" if tf.config.get_visible_devices("GPU") else "cpu")


@pytest.mark.skipif(GPU, reason="this machine has the GPU")
def test_a_missing_gpu_is_an_error_that_names_what_there_is():
    with pytest.raises(UserError, match="'cuda' is not available") as caught:
        device.choose("cuda")
    assert "cpu" in caught.value.hint


@pytest.mark.skipif(GPU, reason="this machine's TensorFlow sees its GPU")
def test_a_gpu_that_this_tensorflow_cannot_use_is_pointed_out(tmp_path, monkeypatch):
    driver = tmp_path / "version"
    driver.write_text("NVRM version: 570\n")
    monkeypatch.setattr(devices, "DRIVER_FILES", (str(driver),))
    chosen, notes = device.choose("auto")
    assert chosen == "cpu"
    assert "tensorflow[and-cuda]" in notes[0]
    with pytest.raises(UserError) as caught:
        device.choose("cuda")
    assert "tensorflow[and-cuda]" in caught.value.hint


def test_memory_of_the_gpu_is_taken_as_needed(gpu):
    assert device.choose("auto") == ("cuda", ())
    assert device.prepare("cuda") == "GPU:0"
    assert gpu == [("a GPU", True)]


def test_a_gpu_not_asked_for_is_left_alone(gpu):
    assert device.prepare("cpu") == "CPU:0"
    assert gpu[0] == ([], "GPU")


def test_a_gpu_hidden_by_an_earlier_run_on_the_cpu_asks_for_a_new_process(gpu, monkeypatch):
    monkeypatch.setattr(tf.config, "get_visible_devices", lambda kind: [])
    with pytest.raises(UserError) as caught:
        device.choose("cuda")
    assert "start a new one" in caught.value.hint


def test_a_tensorflow_at_work_is_left_as_it_is(gpu, monkeypatch):
    def refuse(*_):
        raise RuntimeError("cannot be modified after being initialized")

    monkeypatch.setattr(tf.config, "set_visible_devices", refuse)
    monkeypatch.setattr(tf.config.experimental, "set_memory_growth", refuse)
    assert [device.prepare(name) for name in ("cpu", "cuda")] == ["CPU:0", "GPU:0"]
