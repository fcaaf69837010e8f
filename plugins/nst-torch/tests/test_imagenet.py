"""torchvision's weights: where it puts them, what it calls them, and nothing run from a file."""

from __future__ import annotations

import hashlib
import http.server
import pickle
import threading
from functools import partial

import numpy as np
import pytest
import torch

from nst.errors import NstError, UserError
from nst.vgg import convolutions
from nst_torch.imagenet import VGG16, VGG19, HubWeights
from nst_torch.torchvision_import import torchvision

pytestmark = pytest.mark.frameworks


def state_dict(architecture):
    """A file like torchvision's, slim: the same names in the same places, the classifier's too."""
    slim = {"vgg16": "D", "vgg19": "E"}[architecture]
    cfg = [width if width == "M" else width // 64 for width in torchvision.models.vgg.cfgs[slim]]
    torch.manual_seed(3)
    features = torchvision.models.vgg.make_layers(cfg)
    return {f"features.{name}": value for name, value in features.state_dict().items()} | {
        "classifier.0.bias": torch.ones(2)
    }


@pytest.fixture
def hub(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints"


def stored(folder, architecture, zipped=True):
    """Such a file in torch.hub's folder, named by its own hash as torch.hub names them."""
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(state_dict(architecture), folder / "new.pth", _use_new_zipfile_serialization=zipped)
    digest = hashlib.sha256((folder / "new.pth").read_bytes()).hexdigest()
    name = f"{architecture}-{digest[:8]}.pth"
    (folder / "new.pth").rename(folder / name)
    return name, digest


@pytest.mark.parametrize("weights", [VGG16, VGG19])
def test_names_and_places_are_torchvision_s_and_torch_hub_s(weights, monkeypatch, tmp_path):
    url = getattr(torchvision.models, weights.enum).IMAGENET1K_V1.url
    assert url == weights.url(weights.enum)
    assert url.endswith(f"/{weights.file}")
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
    network = HubWeights(architecture, name, "").load()
    tensors = state_dict(architecture)
    kernels = [value for key, value in tensors.items() if value.ndim == 4]
    assert tuple(network.kernels) == convolutions(architecture)
    for found, expected in zip(network.kernels.values(), kernels, strict=True):
        np.testing.assert_array_equal(found, expected.numpy())
    assert network.sha256 == digest
    assert network.preprocessing.name == "torchvision"


def test_fetching_is_verified_and_done_once(hub, tmp_path):
    name, digest = stored(tmp_path / "server", "vgg16")
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
        weights = HubWeights("vgg16", name, "", url=lambda _: f"http://127.0.0.1:{server.server_port}/{name}")
        steps = []
        assert weights.fetch(lambda done, total: steps.append((done, total))) == hub / name
        assert weights.fetch() == hub / name
        assert weights.verify() == digest
        assert steps[-1][0] == steps[-1][1] == (hub / name).stat().st_size
        assert requests == [f"/{name}"]
    finally:
        server.shutdown()
        server.server_close()


def test_a_pickle_that_would_run_something_does_not(hub, tmp_path):
    class Evil:
        def __reduce__(self):
            return (open, (str(tmp_path / "ran"), "w"))

    hub.mkdir(parents=True)
    (hub / "vgg16-00000000.pth").write_bytes(pickle.dumps({"features.0.weight": Evil()}))
    with pytest.raises(NstError, match=r"cannot be read as torchvision weights"):
        HubWeights("vgg16", "vgg16-00000000.pth", "").load()
    assert not (tmp_path / "ran").exists()


def test_a_file_with_another_hash_is_named_with_both(hub):
    hub.mkdir(parents=True)
    (hub / "vgg16-00000000.pth").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"vgg16-00000000\.pth.*not 00000000"):
        HubWeights("vgg16", "vgg16-00000000.pth", "").verify()


def test_missing_weights_name_the_command_that_fetches_them(hub):
    with pytest.raises(UserError) as caught:
        HubWeights("vgg16", "vgg16-00000000.pth", "").verify()
    assert "nst weights fetch imagenet --backend torch-vgg16" in caught.value.hint
