"""`nst weights`: what there is, where it is, how it gets there, and whether it is whole."""

from __future__ import annotations

import hashlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from nst.plugins.discovery import EntryPoint
from nst.vgg.network import read
from nst.weights.selection import COMPACT
from nst_torch import imagenet

BODY = b"weights " * 10_000
SHA256 = hashlib.sha256(BODY).hexdigest()


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """An empty cache of PyTorch's, and where its VGG-19 would be."""
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    return tmp_path / "torch" / "hub" / "checkpoints" / imagenet.VGG19.file


@pytest.fixture
def site(tmp_path, monkeypatch):
    """A server of our own in torchvision's place: `site` is what it serves, by path, and where the file will be."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            body = served.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *args):
            pass

    served = {"/vgg19.pth": BODY}
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        name = f"vgg19-{SHA256[:8]}.pth"
        address = f"http://127.0.0.1:{server.server_port}/vgg19.pth"
        source = imagenet.HubWeights("vgg19", name, "VGG19_Weights", url=lambda enum: address)
        monkeypatch.setattr(imagenet, "VGG19", source)
        yield served, source.path()
        server.shutdown()


def test_list_tells_of_every_set_where_it_is_and_what_it_costs_to_get(nst, cache):
    done = nst("weights", "list")
    assert (done.code, done.err) == (0, "")
    rows = [line.split(maxsplit=2) for line in done.out.splitlines()[::2]]
    assert [row[:2] for row in rows] == [
        ["torch-vgg19", "imagenet"],
        ["torch-vgg19", "compact"],
        ["torch-vgg16", "imagenet"],
    ]
    assert rows[0][2].startswith("not fetched (548 MB)")
    assert rows[1][2].startswith("fetched")
    assert done.out.splitlines()[1].strip() == str(cache)


def test_list_as_json(nst, cache):
    rows = json.loads(nst("weights", "list", "--json").out)
    assert [(row["backend"], row["name"], row["present"]) for row in rows] == [
        ("torch-vgg19", "imagenet", False),
        ("torch-vgg19", "compact", True),
        ("torch-vgg16", "imagenet", False),
    ]
    assert rows[0]["path"] == str(cache)
    assert set(rows[0]) == {"backend", "name", "present", "path", "size", "license", "origin"}
    cache.parent.mkdir(parents=True)
    cache.touch()
    assert json.loads(nst("weights", "list", "--json").out)[0]["present"]


def test_a_plugin_whose_weights_cannot_be_found_hides_no_others(nst, monkeypatch, tmp_path):
    (tmp_path / "astray.py").write_text(
        "from nst import BackendSpec, WeightSet, hookimpl\n"
        "@hookimpl\n"
        "def nst_backends():\n"
        "    lost = WeightSet('lost', 'astray_weights:LOST', 'nowhere', 'none', 'torchvision')\n"
        "    yield BackendSpec('astray', 'astray:nothing', weights=(lost,))\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entries = [EntryPoint("nst.v1", name, name, name, "1.0") for name in ("astray", "nst_torch")]
    monkeypatch.setattr("nst.plugins.host.discover", lambda: entries)
    done = nst("weights", "list", "--json")
    assert len(json.loads(done.out)) == 3
    assert done.err.startswith("warning: weights lost of astray cannot be used: ModuleNotFoundError")


def test_path_is_where_a_set_is_or_would_be(nst, cache):
    assert nst("weights", "path").out == f"{cache}\n"
    assert nst("weights", "path", "compact").out == f"{COMPACT.path()}\n"
    assert Path(nst("weights", "path", "--backend", "torch-vgg16").out.strip()).name == imagenet.VGG16.file


def test_fetch_brings_the_file_and_prints_its_path_alone(nst, site):
    _, path = site
    done = nst("weights", "fetch")
    assert (done.code, done.out, done.err) == (0, f"{path}\n", "")
    assert path.read_bytes() == BODY
    assert nst("weights", "verify").out == f"ok  {SHA256}  {path}\n"


def test_fetch_shows_its_progress_beside_the_path(nst, site, monkeypatch):
    """As in `file=$(nst weights fetch)` on a terminal."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    done = nst("weights", "fetch")
    assert done.out == f"{site[1]}\n"
    assert "torch-vgg19 imagenet" in done.err


def test_fetch_has_nothing_to_do_for_what_ships_with_nst(nst):
    assert nst("weights", "fetch", "compact").out == f"{COMPACT.path()}\n"


@pytest.mark.parametrize(("body", "says"), [(None, "404"), (BODY[:-1] + b"!", "SHA-256")])
def test_fetch_that_fails_leaves_nothing_but_its_empty_lock(nst, site, body, says):
    served, path = site
    served["/vgg19.pth"] = body
    done = nst("weights", "fetch", "imagenet")
    assert (done.code, done.out) == (1, "")
    assert says in done.errors[0]
    assert [each.name for each in path.parent.glob("*.pth*") if each.suffix != ".lock"] == []


def test_verify_reads_a_set_that_is_there(nst):
    assert nst("weights", "verify", "compact").out == f"ok  {COMPACT.sha256}  {COMPACT.path()}\n"


def test_verify_reads_a_neutral_file(nst, weights):
    done = nst("weights", "verify", weights)
    assert done.out == f"ok  {hashlib.sha256(weights.read_bytes()).hexdigest()}  {weights}\n"


def test_verify_refuses_a_file_that_is_another(nst, site):
    _, path = site
    path.parent.mkdir(parents=True)
    path.write_bytes(BODY[:-1])
    done = nst("weights", "verify", "imagenet")
    assert (done.code, done.out) == (2, "")
    assert f"not {SHA256[:8]}…" in done.errors[0]
    assert "delete it, then nst weights fetch imagenet" in done.hints[0]


@pytest.mark.parametrize(
    ("words", "message", "advice"),
    [
        ("verify imagenet", "no vgg19 weights at", "nst weights fetch imagenet --backend torch-vgg19"),
        ("verify none.safetensors", "no file 'none.safetensors'", "the name of a weight set"),
        ("verify broken.safetensors", "'broken.safetensors' is not a safetensors file", "--weights takes"),
        ("verify " + "x" * 300, "unknown weight set of torch-vgg19", "compact, imagenet"),
        ("path compat", "unknown weight set of torch-vgg19: 'compat'", "did you mean compact?"),
        ("fetch compact --backend torch-vgg16", "not of torch-vgg16", "add --backend torch-vgg19"),
        ("path --backend torch-vg19", "unknown backend 'torch-vg19'", "did you mean torch-vgg19"),
    ],
)  # fmt: skip
def test_what_is_not_there_says_what_is(nst, tmp_path, monkeypatch, words, message, advice):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "broken.safetensors").write_bytes(b"\x00" * 100)
    done = nst("weights", *words.split())
    assert (done.code, done.out) == (2, "")
    assert message in done.errors[0]
    assert advice in done.hints[0]


def test_export_writes_a_file_that_any_backend_reads(nst, tmp_path):
    done = nst("weights", "export", tmp_path / "same.safetensors", "--weights", "compact")
    assert (done.code, done.out) == (0, f"{tmp_path / 'same.safetensors'}\n")
    found, original = read(tmp_path / "same.safetensors"), COMPACT.load()
    assert found.preprocessing == original.preprocessing
    assert (found.source, found.license) == (original.source, original.license)
    for name, kernel in original.kernels.items():
        np.testing.assert_array_equal(found.kernels[name], kernel)
        np.testing.assert_array_equal(found.biases[name], original.biases[name])


def test_export_in_half_takes_half_the_space(nst, tmp_path):
    for name, words in (("whole", []), ("half", ["--half"])):
        assert nst("weights", "export", tmp_path / name, "--weights", "compact", *words).code == 0
    assert (tmp_path / "half").stat().st_size < 0.51 * (tmp_path / "whole").stat().st_size


def test_export_refuses_a_place_it_cannot_write_before_it_reads_anything(nst, tmp_path):
    done = nst("weights", "export", tmp_path / "no" / "such.safetensors")
    assert done.code == 2
    assert "cannot write" in done.errors[0]
