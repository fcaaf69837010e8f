"""`nst estimate`, and what `nst stylize` says of itself before it starts."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import pytest

pytestmark = pytest.mark.frameworks

PICTURES = ["content.png", "style.png"]
PAIR = [*PICTURES, "-o", "out.png"]

SILENT = """
from nst import BackendSpec, Layer, hookimpl
from nst.vgg import vgg_layers

@hookimpl
def nst_backends():
    yield BackendSpec("silent", "nst_torch.vgg:VGG", architecture="vgg19", layers=vgg_layers("vgg19"))
    yield BackendSpec("odd", "odd_parts:Odd", layers=(Layer("relu1_1"),), files="odd_parts:File")
"""

ODD = """
from nst_torch.vgg import VGG
from nst.weights import NeutralFile

class File:
    def __init__(self, file):
        self.file = NeutralFile(file)

    def path(self):
        return self.file.path()

    def verify(self):
        return self.file.verify()

    def load(self):
        return [self.file.load()]  # no network that anybody knows the shape of

class Odd(VGG):
    def __init__(self, network, **options):
        super().__init__(network[0], **options)
"""


@pytest.fixture
def strangers(tmp_path_factory):
    """The environment in which two backends are installed that do not say what they take."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "strangers.py").write_text(SILENT)
    (folder / "odd_parts.py").write_text(ODD)
    (folder / "nst_strangers-1.0.dist-info").mkdir()
    (folder / "nst_strangers-1.0.dist-info" / "entry_points.txt").write_text("[nst.v1]\nstrangers = strangers\n")
    (folder / "nst_strangers-1.0.dist-info" / "METADATA").write_text("Name: nst-strangers\nVersion: 1.0\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


def test_a_row_for_each_size_and_a_line_for_all(nst, here, unsized):
    done = nst("estimate", *PICTURES, *unsized, "--sizes", "32,48", "--steps", "2,1")
    assert (done.code, done.errors) == (0, [])
    head, first, second, *_, last = done.out.splitlines()
    assert head.split() == ["SIZE", "STEPS", "WEIGHTS", "TILES", "TIME", "MEMORY"]
    assert re.fullmatch(r"32 px +2 +\S+ +none +\d+ s +\d\.\d\d GB", first)
    assert re.fullmatch(r"48 px +1 +\S+ +none +\d+ s +\d\.\d\d GB", second)
    assert re.fullmatch(r"total: about \d+ s and \d\.\d GB, plus \d+ s to start", last)
    assert not (here / "out.png").exists()


def test_it_takes_a_call_of_stylize_as_it_is_and_writes_nothing(nst, here, fast):
    words = [*PAIR, *fast, "--save-every", "1", "--report", "run.json", "--quality", "90", "--tile", "64", "-q"]
    assert nst("estimate", *words).code == 0
    assert sorted(path.name for path in here.iterdir()) == ["content.png", "style.png"]


def test_as_json_it_is_data(nst, here, unsized, weights):
    found = json.loads(nst("estimate", *PICTURES, *unsized, "--sizes", "32,48", "--steps", "2,1", "--json").out)
    own = {"backend": "torch-vgg19", "device": "cpu", "precision": "float32", "notes": []}
    own |= {"at_least": False, "at_most": False}
    assert {name: found[name] for name in own} == own
    assert found.keys() - own.keys() == {"seconds", "memory", "start", "available", "sizes"}
    assert min(found["seconds"], found["memory"], found["start"]) > 0
    first, last = found["sizes"]
    assert {name: last[name] for name in ("size", "steps", "tile", "weights")} == {
        "size": 48,
        "steps": 1,
        "tile": 0,
        "weights": str(weights),
    }
    assert first.keys() == last.keys() == {"size", "steps", "tile", "weights", "seconds", "memory", "operations"}
    assert first["operations"] < last["operations"]
    assert found["memory"] == last["memory"] >= first["memory"]
    assert found["seconds"] == pytest.approx(first["seconds"] + last["seconds"])


def test_mistakes_are_those_of_stylize(nst, here, fast):
    wrong = ["missing.png", "style.png", "-o", "out.bmpp", *fast, "--optimizer", "lbgfs", "--steps", "0"]
    one, other = nst("estimate", *wrong), nst("stylize", *wrong)
    assert (one.code, one.err) == (other.code, other.err) == (2, other.err)
    assert len(one.errors) == 4


def test_help_and_mistakes_import_no_framework(here, environment):
    program = """
import sys
from nst.cli.app import run
code = run(sys.argv[1:])
print(code, sorted({"torch", "tensorflow", "scipy", "nst.job"} & set(sys.modules)))
"""
    for words, said in ((["--help"], "0 []"), (["no.png", "no.png"], "2 ['nst.job']")):
        command = [sys.executable, "-c", program, "estimate", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        assert done.stdout.splitlines()[-1] == said


def test_a_run_begins_with_what_it_will_take_and_reports_it_beside_what_it_took(nst, here, fast):
    done = nst("stylize", *PAIR, *fast, "--report", "run.json")
    assert re.fullmatch(r"about \d+ s and \d\.\d GB", done.err.splitlines()[2])
    report = json.loads((here / "run.json").read_text())
    assert report["estimate"]["memory"] > 0
    assert report["estimate"]["seconds"] > 0
    assert report["peak_memory"] > 0


def test_a_quiet_run_without_a_report_is_not_held_up_by_a_probe(nst, here, fast, monkeypatch):
    monkeypatch.setattr("nst.job.plan.clock", lambda *_: pytest.fail("an evaluation was timed"))
    assert nst("stylize", *PAIR, *fast, "--quiet").code == 0


def test_weights_that_change_are_announced_with_the_size_from_which_on(nst, here, unsized, weights):
    words = [word for word in unsized if word not in ("--weights", str(weights))]
    done = nst("stylize", *PAIR, *words, "--weights", f"compact,{weights}", "--sizes", "32,40,48", "--steps", "1,1,1")
    assert f"weights compact, {weights} from 48 px, float32; 32 px × 1" in done.err.splitlines()[1]


def test_one_pass_is_of_unknown_cost(process, here, environment):
    done = process("estimate", *PICTURES, "--backend", "example-image-backend", "--size", "48")
    assert re.search(r"48 px +one pass +\S+ +none +unknown +unknown", done.out)
    assert "total: time and memory are unknown" in done.out


def test_a_backend_that_does_not_say_what_it_takes_gets_a_lower_bound(process, here, fast, strangers):
    done = process("estimate", *PICTURES, *fast, "--backend", "silent", **strangers)
    assert re.search(r"total: about \d+ s and at least 0\.\d GB", done.out)


def test_a_network_of_unknown_shape_gets_a_time_alone(process, here, fast, strangers):
    layers = ["--content-layers", "relu1_1", "--style-layers", "relu1_1"]
    done = process("estimate", *PICTURES, *fast, *layers, "--backend", "odd", **strangers)
    assert re.search(r"48 px +3 +\S+ +none +\d+ s +unknown", done.out), done.err
    assert re.search(r"total: about \d+ s, plus \d+ s to start", done.out)
