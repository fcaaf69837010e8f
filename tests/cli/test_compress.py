"""`nst weights compress`: photographs and a teacher in, a slim network out."""

from __future__ import annotations

import hashlib
import json

import pytest

from nst.images import save_image
from nst.plugins.discovery import EntryPoint
from nst.vgg.network import header
from nst.weights.compression import Compressed, CompressionProgress

pytestmark = pytest.mark.frameworks


@pytest.fixture
def folder(tmp_path, photo):
    (tmp_path / "photos").mkdir()
    for seed in range(3):
        save_image(tmp_path / "photos" / f"{seed}.png", photo(40, 48, seed=seed))
    (tmp_path / "photos" / "notes.txt").write_text("no picture")
    return tmp_path / "photos"


@pytest.fixture
def words(weights, folder, tmp_path):
    """A call that works, small."""
    teacher = ["--teacher", weights, "--photos", folder, "--widths", "2,3,4,4,4", "--crop", "32", "--steps", "1,1"]
    return ["weights", "compress", *teacher, "-o", tmp_path / "slim.safetensors"]


def test_it_writes_a_slim_network_and_prints_where(nst, words, tmp_path):
    done = nst(*words)
    assert (done.code, done.out) == (0, f"{tmp_path / 'slim.safetensors'}\n")
    found = header(tmp_path / "slim.safetensors")
    assert [*found.channels.values()] == [2, 2, 3, 3, *[4] * 12]
    assert found.license == "CC0-1.0"
    assert "VGG-19" in found.source
    for stage in ("reading pictures: 4 of 4", "closed form: 16 of 16", "training: 2 of 2"):
        assert stage in done.err


def test_the_report_is_markdown_or_json(nst, words, tmp_path):
    assert nst(*words, "--report", tmp_path / "report.md").code == 0
    lines = (tmp_path / "report.md").read_text().splitlines()
    assert lines[0].startswith("# compressed from VGG-19")
    assert sum(line.startswith("| conv") for line in lines) == 16
    assert nst(*words, "--report", tmp_path / "report.json").code == 0
    facts = json.loads((tmp_path / "report.json").read_text())
    assert facts["pictures"] == {"used": 3, "held out": 1, "unreadable": 1}


@pytest.fixture
def replaced(monkeypatch, make_network):
    """What nst-torch's compressor does is `replaced[0]`'s affair."""
    does = []
    monkeypatch.setattr("nst_torch.compress.compressor.compress", lambda task, tell: does[0](task, tell))
    return does


def test_ctrl_c_writes_the_network_so_far_and_says_so(nst, words, replaced, make_network, tmp_path):
    replaced.append(lambda task, tell: Compressed(make_network(), {}, interrupted=True))
    done = nst(*words)
    assert done.code == 130
    assert f"the network so far is in {tmp_path / 'slim.safetensors'}" in done.err
    assert (tmp_path / "slim.safetensors").is_file()


def test_ctrl_c_while_layers_are_measured_leaves_a_report_without_them(nst, words, replaced, make_network, tmp_path):
    facts = {"source": "compressed", "steps": 2, "layers": ()}
    replaced.append(lambda task, tell: Compressed(make_network(), facts, interrupted=True))
    assert nst(*words, "--report", tmp_path / "report.md").code == 130
    assert "| layers were not measured |" in (tmp_path / "report.md").read_text()


def test_ctrl_c_before_there_is_a_network_writes_none(nst, words, replaced, tmp_path):
    def stop(task, tell):
        raise KeyboardInterrupt

    replaced.append(stop)
    done = nst(*words)
    assert (done.code, done.out) == (130, "")
    assert "no network was written" in done.err
    assert not (tmp_path / "slim.safetensors").exists()


def test_the_network_so_far_is_saved_on_the_way(nst, words, replaced, make_network, tmp_path):
    def work(task, tell):
        for step in range(1, 5):
            tell(CompressionProgress("training", step, 4, network=lambda seed=step: make_network(seed=seed)))
            there.append((tmp_path / "slim.safetensors").is_file())
        return Compressed(make_network(), {})

    there = []
    replaced.append(work)
    assert nst(*words, "--save-every", "3").code == 0
    assert there == [False, False, True, True]


def test_every_mistake_is_named_at_once_and_nothing_is_computed(nst, weights, replaced, tmp_path):
    done = nst("weights", "compress", "--teacher", weights, "--photos", tmp_path / "none", "--widths", "9,9",
               "-o", tmp_path / "no" / "slim", "--seed", "-1", "--crop", "8", "--save-every", "-1")  # fmt: skip
    assert (done.code, done.out) == (2, "")
    said = "\n".join(done.errors)
    for part in ("cannot write", "there is no folder", "--widths has 2 numbers", "--seed", "--crop", "--save-every"):
        assert part in said
    assert len(done.errors) == 6


def test_a_teacher_that_is_no_vgg_says_what_it_is(nst, words, tmp_path):
    (tmp_path / "page").write_text("<html>")
    done = nst(*words, "--teacher", tmp_path / "page")
    assert done.code == 2
    assert "an HTML page" in done.errors[0]


def test_a_teacher_of_another_architecture_is_refused(nst, words):
    done = nst(*words, "--backend", "torch-vgg16")
    assert done.code == 2
    assert "is vgg19; torch-vgg16 takes vgg16" in done.errors[0]


def test_a_backend_that_cannot_compress_names_those_that_can(nst, words, monkeypatch, tmp_path):
    (tmp_path / "unable.py").write_text(
        "from nst import BackendSpec, hookimpl\n"
        "@hookimpl\n"
        "def nst_backends():\n"
        "    yield BackendSpec('unable', 'unable:nothing')\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    entries = [EntryPoint("nst.v1", name, name, name, "1.0") for name in ("unable", "nst_torch")]
    monkeypatch.setattr("nst.plugins.host.discover", lambda: entries)
    done = nst(*words, "--backend", "unable")
    assert done.code == 2
    assert "'unable' cannot compress networks" in done.errors[0]
    assert "these can: torch-vgg19, torch-vgg16" in done.hints[0]


def test_a_report_in_the_network_s_place_is_refused(nst, words, tmp_path):
    done = nst(*words, "--report", tmp_path / "slim.safetensors")
    assert done.code == 2
    assert "is the network's own file" in done.errors[0]


def test_a_network_made_earlier_is_gone_on_from(nst, words, tmp_path):
    assert nst(*words).code == 0
    first = (tmp_path / "slim.safetensors").read_bytes()
    wider = [word if word != "2,3,4,4,4" else "3,4,5,5,5" for word in words]
    done = nst(*wider, "--start", tmp_path / "slim.safetensors")
    assert done.code == 0
    found = header(tmp_path / "slim.safetensors")
    assert f"from {hashlib.sha256(first).hexdigest()[:8]}" in found.source
    assert found.channels["conv5_1"] == 5


def test_a_start_that_is_not_there_is_named(nst, words, tmp_path):
    done = nst(*words, "--start", tmp_path / "none.safetensors")
    assert done.code == 2
    assert "no weights file at" in done.errors[0]
