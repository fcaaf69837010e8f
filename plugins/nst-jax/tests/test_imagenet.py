"""torchvision's weights: where they lie, what they are called, read without PyTorch, and nothing run from a file."""

from __future__ import annotations

import hashlib
import http.server
import pickle
import subprocess
import sys
import threading
from functools import partial

import numpy as np
import pytest

from nst.errors import NstError, UserError
from nst.vgg import BLOCKS, convolutions
from nst_jax import pth
from nst_jax.imagenet import VGG16, VGG19, HubWeights

torch = pytest.importorskip("torch", reason="PyTorch writes the files that are read here")
pytestmark = pytest.mark.frameworks


def state_dict(architecture):
    """A file like torchvision's, slim: the same names in the same places, the classifier's too."""
    torch.manual_seed(3)
    tensors, index, inputs = {}, 0, 3
    for count in BLOCKS[architecture]:
        for _ in range(count):
            tensors[f"features.{index}.weight"] = torch.randn(4, inputs, 3, 3)
            tensors[f"features.{index}.bias"] = torch.randn(4)
            index, inputs = index + 2, 4
        index += 1
    tensors["classifier.0.bias"] = torch.ones(2)
    return tensors


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def named_by_hash(folder, content, architecture="vgg16"):
    """A file in a folder, named as torch.hub names them, and its digest."""
    folder.mkdir(parents=True, exist_ok=True)
    digest = hashlib.sha256(content).hexdigest()
    (folder / f"{architecture}-{digest[:8]}.pth").write_bytes(content)
    return f"{architecture}-{digest[:8]}.pth", digest


def stored(folder, architecture, zipped):
    """Such a file in torch.hub's folder, in either of PyTorch's formats."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state_dict(architecture), folder / "new.pth", _use_new_zipfile_serialization=zipped)
    return named_by_hash(folder, (folder / "new.pth").read_bytes(), architecture)


@pytest.mark.parametrize("weights", [VGG16, VGG19])
def test_the_place_is_torch_hub_s(weights, monkeypatch, tmp_path):
    for variables in ({"TORCH_HOME": str(tmp_path)}, {"XDG_CACHE_HOME": str(tmp_path)}, {}):
        monkeypatch.delenv("TORCH_HOME", raising=False)
        monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        assert str(weights.path().parent) == f"{torch.hub.get_dir()}/checkpoints"


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
@pytest.mark.parametrize("architecture", ["vgg16", "vgg19"])
def test_a_file_like_torchvision_s_is_read_layer_by_layer(hub, architecture, zipped):
    name, digest = stored(hub, architecture, zipped)
    network = HubWeights(architecture, name).load()
    kernels = [value for value in state_dict(architecture).values() if value.ndim == 4]
    assert tuple(network.kernels) == convolutions(architecture)
    for found, expected in zip(network.kernels.values(), kernels, strict=True):
        np.testing.assert_array_equal(found, expected.numpy())
    assert network.sha256 == digest
    assert network.preprocessing.name == "torchvision"


def test_views_parameters_and_halves_are_read_as_torch_reads_them(tmp_path):
    base = torch.arange(24.0)
    expected = {"t": base.reshape(4, 6).T, "s": base[3:9:2], "p": torch.nn.Parameter(base[:2]), "h": base.half()}
    for zipped in (True, False):
        torch.save(expected, tmp_path / "some.pth", _use_new_zipfile_serialization=zipped)
        found = pth.read(tmp_path / "some.pth")
        for name, tensor in expected.items():
            np.testing.assert_array_equal(found[name], tensor.detach().numpy())


def test_reading_needs_no_framework(hub):
    name, digest = stored(hub, "vgg16", False)
    absent = "import sys; sys.modules.update(dict.fromkeys(['torch', 'torchvision', 'jax']))"
    code = f"{absent}; from nst_jax.imagenet import HubWeights; print(HubWeights('vgg16', {name!r}).load().sha256)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.strip() == digest, done.stderr


def test_fetching_is_verified_and_done_once(hub, tmp_path):
    name, digest = stored(tmp_path / "server", "vgg16", True)
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def do_GET(self):
            requests.append(self.path)
            super().do_GET()

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=tmp_path / "server"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        weights = HubWeights("vgg16", name, f"http://127.0.0.1:{server.server_port}")
        steps = []
        assert weights.fetch(lambda done, total: steps.append((done, total))) == hub / name
        assert weights.fetch() == hub / name
        assert weights.verify() == digest
        assert steps[-1][0] == steps[-1][1] == (hub / name).stat().st_size
        assert requests == [f"/{name}"]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before PyTorch 1.6"])
def test_a_pickle_that_would_run_something_does_not(hub, tmp_path, zipped):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    torch.save({"features.0.weight": Evil()}, tmp_path / "evil.pth", _use_new_zipfile_serialization=zipped)
    for content in ((tmp_path / "evil.pth").read_bytes(), pickle.dumps(Evil())):
        name, _ = named_by_hash(hub, content)
        with pytest.raises(NstError, match=r"cannot be read as torchvision weights: it asks for \w+\.open"):
            HubWeights("vgg16", name).load()
    assert not (tmp_path / "ran").exists()


def test_a_damaged_file_is_no_network(hub):
    """Whatever is cut off, and whatever is claimed of shapes: an error, and no other memory read."""
    name, _ = stored(hub, "vgg16", False)
    content = (hub / name).read_bytes()
    for length in (0, 1, 40, 400, len(content) // 2, len(content) - 1):
        damaged, _ = named_by_hash(hub, content[:length])
        with pytest.raises(NstError, match="cannot be read as torchvision weights"):
            HubWeights("vgg16", damaged).load()
    long = pth.Tensor(pth.Storage("<f4", 4), 0, (10**6,), (1,))
    with pytest.raises(ValueError, match="larger than its storage"):
        long.array()


def test_a_file_with_another_hash_is_named_with_both(hub):
    hub.mkdir(parents=True)
    (hub / "vgg16-00000000.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"vgg16-00000000\.pth.*not 00000000"):
        HubWeights("vgg16", "vgg16-00000000.pth").verify()


def test_missing_weights_name_the_command_that_fetches_them(hub):
    with pytest.raises(UserError) as caught:
        HubWeights("vgg16", "vgg16-00000000.pth").verify()
    assert "nst weights fetch imagenet --backend jax-vgg16" in caught.value.hint
