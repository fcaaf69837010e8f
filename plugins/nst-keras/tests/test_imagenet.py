"""keras.applications' weights: where Keras puts them, how it checks them, and what it calls them."""

from __future__ import annotations

import hashlib
import http.server
import threading
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import pytest

from nst.errors import NstError, UserError
from nst.vgg import convolutions
from nst_keras.imagenet import VGG16, VGG19, KerasWeights
from nst_keras.keras_import import keras

pytestmark = pytest.mark.frameworks


def blocks(architecture):
    """Keras' name, inputs and outputs of each convolution of a slim VGG."""
    inputs = 3
    for name in convolutions(architecture):
        block, conv = name[4], name[6]
        yield f"block{block}_conv{conv}", inputs, 2 * int(block)
        inputs = 2 * int(block)


def values(architecture, seed=0):
    rng = np.random.default_rng(seed)
    for name, inputs, outputs in blocks(architecture):
        kernel = rng.normal(size=(3, 3, inputs, outputs)).astype(np.float32)
        yield name, kernel, rng.normal(size=outputs).astype(np.float32)


def stored(folder, architecture, seed=0):
    """A file like keras.applications': a group for each layer, which lists its arrays."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{architecture}_weights_tf_dim_ordering_tf_kernels_notop.h5"
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = [name.encode() for name, *_ in blocks(architecture)]
        for name, kernel, bias in values(architecture, seed):
            group = file.create_group(name)
            group.attrs["weight_names"] = [f"{name}_W_1:0".encode(), f"{name}_b_1:0".encode()]
            group[f"{name}_W_1:0"], group[f"{name}_b_1:0"] = kernel, bias
    return path


def weights_of(path, architecture="vgg16", **given):
    md5 = hashlib.md5(path.read_bytes()).hexdigest()
    return KerasWeights(architecture, md5, path.stat().st_size, **given)


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Keras' folder of models."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    return tmp_path / "keras" / "models"


@pytest.fixture
def server(tmp_path):
    """Serves `tmp_path/server/<architecture>/<file>`; yields its address and the requests it has had."""
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "server"))
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}", requests
    running.shutdown()
    running.server_close()


@pytest.mark.parametrize("weights", [VGG16, VGG19])
def test_names_addresses_and_sums_are_keras_applications(weights, monkeypatch):
    """What Keras asks its own loader for is what we ask it for."""
    asked = {}

    def get_file(name, origin, **options):
        asked.update(options, name=name, origin=origin)
        raise InterruptedError

    application = getattr(keras.applications, weights.architecture.upper())
    monkeypatch.setattr("keras.src.utils.file_utils.get_file", get_file)
    with pytest.raises(InterruptedError):
        application(weights="imagenet", include_top=False)
    ours = {"name": weights.file, "origin": weights.url, "file_hash": weights.md5, "cache_subdir": "models"}
    assert asked == ours
    assert weights.path().parent.name == "models"


@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_a_file_like_keras_is_read_layer_by_layer(models, architecture):
    path = stored(models, architecture)
    network = weights_of(path, architecture).load()
    assert tuple(network.kernels) == convolutions(architecture)
    for name, (_, kernel, bias) in zip(network.kernels, values(architecture), strict=True):
        np.testing.assert_array_equal(network.kernels[name], kernel.transpose(3, 2, 0, 1))
        np.testing.assert_array_equal(network.biases[name], bias)
    assert network.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert network.preprocessing.name == "caffe"


def test_a_file_is_read_as_keras_reads_it(models):
    """Keras' own model of full width, written by Keras' own writer of such files and read back by both."""
    from keras.src.legacy.saving.legacy_h5_format import save_weights_to_hdf5_group

    path = models / VGG16.file
    models.mkdir(parents=True)
    with h5py.File(path, "w") as file:
        save_weights_to_hdf5_group(file, keras.applications.VGG16(weights=None, include_top=False))
    model = keras.applications.VGG16(weights=str(path), include_top=False)
    network = weights_of(path).load()
    for name, kernel in network.kernels.items():
        expected = model.get_layer(f"block{name[4]}_conv{name[6]}").get_weights()
        np.testing.assert_array_equal(kernel, expected[0].transpose(3, 2, 0, 1))
        np.testing.assert_array_equal(network.biases[name], expected[1])


def test_fetching_is_verified_told_and_done_once(models, server, tmp_path, capfd):
    source = stored(tmp_path / "server" / "vgg16", "vgg16")
    weights, steps = weights_of(source, address=server[0]), []
    assert weights.fetch(lambda done, total: steps.append((done, total))) == models / source.name
    assert weights.fetch() == models / source.name
    assert weights.verify() == hashlib.sha256(source.read_bytes()).hexdigest()
    assert steps[-1] == (source.stat().st_size, source.stat().st_size)
    assert server[1] == [f"/vgg16/{source.name}"]
    assert capfd.readouterr() == ("", "")


def test_growth_is_told_while_it_lasts(tmp_path):
    from nst_keras.imagenet import _reported

    file, told = tmp_path / "file", threading.Event()
    with _reported(file, 10, lambda done, total: told.set() if (done, total) == (5, 10) else None):
        file.write_bytes(b"12345")
        assert told.wait(5)


def test_a_download_that_is_not_what_it_should_be_leaves_what_there_was(models, server, tmp_path):
    weights = weights_of(stored(tmp_path / "right", "vgg16"), address=server[0])
    stored(tmp_path / "server" / "vgg16", "vgg16", seed=1)
    old = stored(models, "vgg16", seed=2)
    before = old.read_bytes()
    with pytest.raises(NstError, match=r"cannot download http.*does not match") as caught:
        weights.fetch()
    assert str(old) in caught.value.hint
    assert old.read_bytes() == before
    assert list(models.iterdir()) == [old]


def test_an_absent_server_leaves_nothing(models, server, tmp_path):
    weights = weights_of(stored(tmp_path / "right", "vgg16"), address=server[0])
    with pytest.raises(NstError, match="404"):
        weights.fetch()
    assert list(models.iterdir()) == []


def test_an_interrupted_download_leaves_nothing(models, server, tmp_path, monkeypatch):
    source = stored(tmp_path / "server" / "vgg16", "vgg16")

    def interrupted(origin, target, _):
        Path(target).write_bytes(b"half")
        raise KeyboardInterrupt

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", interrupted)
    with pytest.raises(KeyboardInterrupt):
        weights_of(source, address=server[0]).fetch()
    assert list(models.iterdir()) == []


def test_a_file_that_keras_cannot_read_says_so(models):
    path = stored(models, "vgg16")
    path.write_bytes(b"\x89HDF\r\n\x1a\n and no more")
    with pytest.raises(NstError, match="cannot be read as Keras' weights"):
        weights_of(path).load()


def test_a_file_with_another_sum_is_named_with_both(models):
    weights = weights_of(stored(models, "vgg16"))
    stored(models, "vgg16", seed=1)
    with pytest.raises(UserError, match=rf"{weights.file}.*not {weights.md5[:8]}"):
        weights.load()


def test_missing_weights_name_the_command_that_fetches_them(models):
    with pytest.raises(UserError) as caught:
        VGG16.verify()
    assert "nst weights fetch imagenet --backend keras-vgg16" in caught.value.hint
