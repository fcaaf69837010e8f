"""What the world may do to a run: its folder goes, fills up or turns read-only, memory ends, Ctrl-C.

Whatever it does: a line that says so, the right exit code, no half-written file, and no finished picture lost.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from PIL import Image

from nst.cli.saving import once
from nst.persistence.checkpoint import Checkpoint

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(sys.platform == "win32", reason="faults are made by a shell"),
]

ENTRY = """
from nst import BackendSpec, hookimpl
from nst.vgg.architecture import vgg_layers

@hookimpl
def nst_backends():
    offered = {"architecture": "vgg19", "layers": vgg_layers("vgg19"), "files": "nst.weights:NeutralFile"}
    yield BackendSpec("faulty", "faulty_parts:Faulty", **offered)
"""

PARTS = """
import os, subprocess, time
from nst_torch.vgg import VGG

class Faulty(VGG):
    def value_and_grad(self, loss):
        objective, seen = super().value_and_grad(loss), []

        def evaluate(image, *parameters):
            if not any(image is each for each in seen):  # what an estimate times is one image, again and again
                seen.append(image)
                self.fail(len(seen))
            return objective(image, *parameters)

        return evaluate

    def fail(self, evaluations):
        if evaluations == 5 and (fault := os.environ.get("FAULT")):
            subprocess.run(fault.replace("NST", str(os.getpid())), shell=True, check=True)
            time.sleep(0.05)
"""

LIMIT = "ulimit -v {}; "
BESIDE = ["--checkpoint", "kept/run.nst", "--checkpoint-every", "0", "--save-every", "1", "--report", "kept/run.json"]
FILM = ["--timelapse", "kept/film.gif"]
WORDS = pytest.mark.parametrize(
    "words", [[], [*BESIDE, *FILM]], ids=["the picture alone", "with all that is beside it"]
)


@dataclass(frozen=True)
class Done:
    """How a run ended, and where it was."""

    code: int
    told: str
    folder: Path

    def rescued(self) -> Path:
        """Where the picture is said to be, which could not be written where it belongs."""
        found = re.search(r"^hint: the picture is at (.*): move it", self.told, re.MULTILINE)
        assert found, self.told
        return Path(found[1])


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """The environment in which the backend `faulty` is installed: `FAULT` happens after the third step."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "faulty.py").write_text(ENTRY)
    (folder / "faulty_parts.py").write_text(PARTS)
    (folder / "nst_faulty-1.0.dist-info").mkdir()
    (folder / "nst_faulty-1.0.dist-info" / "entry_points.txt").write_text("[nst.v1]\nfaulty = faulty\n")
    (folder / "nst_faulty-1.0.dist-info" / "METADATA").write_text("Name: nst-faulty\nVersion: 1.0\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture
def stylize(here, environment, faulty, weights):
    """`stylize(fault, *words)`: a run that writes into `kept`, and meets this; whatever it leaves is whole."""
    (here / "kept").mkdir()
    (here / "tmp").mkdir()
    layers = ["--style-layers", "relu1_1", "--content-layers", "relu2_2", "--device", "cpu", "--weights", str(weights)]
    short = ["--optimizer", "adam", "--size", "48", "--levels", "1", "--steps", "6", "--backend", "faulty", *layers]

    def call(fault, *words, before=""):
        command = [sys.executable, "-m", "nst", "stylize", "content.png", "style.png", "-o", "kept/out.png", *short]
        shell = ["bash", "-c", f'{before}exec "$@"', "bash", *command, *words]
        changes = {**faulty, "FAULT": fault, "TMPDIR": str(here / "tmp")}
        done = subprocess.run(shell, env=environment | changes, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        assert done.stderr.count("error: ") == (done.returncode not in (0, 130)), done.stderr
        assert_whole([path for path in here.rglob("*") if path.is_file()])
        return Done(done.returncode, done.stderr, here)

    return call


def assert_whole(paths):
    for path in paths:
        if path.suffix == ".json":
            json.loads(path.read_text())
        elif path.suffix == ".nst":
            Checkpoint(path)
        elif path.name != "filler":
            with Image.open(path) as image:
                image.load()


@pytest.fixture
def small_disk(here, stylize):
    """`kept` as a file system of its own, of 400 kB."""
    mount = ["mount", "-t", "tmpfs", "-o", "size=400k", "tmpfs", str(here / "kept")]
    try:
        mounted = subprocess.run(mount, capture_output=True, text=True)
    except OSError:
        pytest.skip("there is no mount here")
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.strip()}")
    yield here / "kept"
    subprocess.run(["umount", str(here / "kept")], check=True)


@WORDS
def test_a_folder_that_is_deleted_on_the_way_does_not_cost_the_picture(stylize, words):
    done = stylize("rm -r kept", *words)
    assert done.code == 1
    assert "error: cannot write kept/out.png: there is no folder kept\n" in done.told
    assert Image.open(done.rescued()).size == (48, 36)
    assert sorted(each.name for each in done.folder.iterdir()) == ["content.png", "style.png", "tmp"]
    assert done.told.count("is not saved: cannot write kept/out-") == bool(words), "said once, not at every step"


@WORDS
def test_a_disk_that_fills_up_does_not_cost_the_picture(stylize, small_disk, words):
    done = stylize("cat /dev/zero > kept/filler 2>/dev/null; true", *words)
    assert done.code == 1
    assert "error: cannot write kept/out.png: No space left on device\n" in done.told
    assert Image.open(done.rescued()).size == (48, 36)
    assert not (small_disk / "out.png").exists()


@pytest.mark.parametrize("words", [[], BESIDE], ids=["the picture alone", "with what is beside it"])
def test_a_disk_that_turns_read_only_does_not_cost_the_picture(stylize, small_disk, words):
    """Not with a film: while its frames lie there no system lets it."""
    done = stylize("mount -o remount,ro kept", *words)
    assert done.code == 1
    assert "error: cannot write kept/out.png: Read-only file system" in done.told
    assert Image.open(done.rescued()).size == (48, 36)


def test_a_picture_that_can_be_written_nowhere_is_said_to_be_lost(stylize):
    done = stylize("rm -r kept tmp; mkdir tmp", *FILM, before="ulimit -f 1; ")
    assert done.code == 1
    assert re.search("hint: the picture is lost: .* has no room for it either", done.told)
    assert not [*(done.folder / "tmp").iterdir()]


def test_a_full_disk_from_the_start_is_said_of_each_file_and_leaves_none(stylize):
    """No file may grow beyond a kilobyte."""
    done = stylize("true", *BESIDE, *FILM, before="ulimit -f 1; ")
    assert done.code == 1
    assert [*(done.folder / "kept").iterdir()] == []
    for name in ("kept/run.nst", "kept/run.json", "kept/film.gif", "kept/out.png"):
        assert f"cannot write {name}" in done.told.replace("'", "")


@pytest.mark.parametrize("fault", ["kill -INT NST", "kill -INT NST; kill -INT NST"], ids=["once", "twice"])
def test_ctrl_c_leaves_everything_whole(stylize, fault):
    done = stylize(fault, *BESIDE, *FILM)
    assert done.code == 130
    ending, files, command = done.told.splitlines()[-3:]
    assert ending.startswith("Interrupted")
    assert files.startswith("Also saved: ")
    assert command == "To continue: nst resume kept/run.nst"
    assert json.loads((done.folder / "kept" / "run.json").read_text())["stopped"] == "interrupted"
    with Image.open(done.folder / "kept" / "film.gif") as film:
        assert film.n_frames > 1
    assert {"out.png", "out-0001.png", "run.nst"} <= {each.name for each in (done.folder / "kept").iterdir()}


@pytest.mark.slow
@pytest.mark.parametrize("megabytes", [600, 1000])
def test_too_little_memory_is_said_and_leaves_nothing_half_written(stylize, megabytes):
    """Of address space: for less than the imports need, and for more, which is refused before the first step."""
    big = ["--size", "1024", "--max-pixels", "10000000"]
    done = stylize("true", *big, *BESIDE, *FILM, before=LIMIT.format(megabytes * 1024))
    picture = done.folder / "kept" / "out.png"
    assert done.code == 0 or (done.code in (1, 2) and "error:" in done.told)
    assert "defect of nst" not in done.told
    if picture.exists():  # what is made of it afterwards may fail for want of memory too
        Image.open(picture).load()
    else:
        assert done.code in (1, 2)


def test_trouble_that_goes_on_is_told_once():
    told = []
    say = once(told.append)
    for line in ("step 1 is not saved: full", "step 2 is not saved: full", "step 3 is not saved: read-only"):
        say(line)
    assert told == ["step 1 is not saved: full", "step 3 is not saved: read-only"]
