"""`--checkpoint` and `nst resume`: however a run ends, it goes on to the very picture it would have become.

`NST_TEST_KILLS=50` kills that many runs, at moments spread over the whole of a run.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from nst import images
from nst.persistence.checkpoint import Checkpoint

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(sys.platform == "win32", reason="signals and limits are others there"),
]

PAIR = ["content.png", "style.png", "-o", "out.png"]
KEEP = ["--checkpoint", "run.nst", "--checkpoint-every", "0"]
KILLS = int(os.environ.get("NST_TEST_KILLS", "5"))

ENTRY = """
from nst import BackendSpec, hookimpl
from nst.vgg.architecture import vgg_layers

@hookimpl
def nst_backends():
    yield BackendSpec("trap", "trap_parts:Trap", architecture="vgg19", layers=vgg_layers("vgg19"))
"""

PARTS = """
import os, shutil, signal, time
from dataclasses import replace
from nst_torch.vgg import VGG

class Trap(VGG):
    evaluations = 0

    def value_and_grad(self, loss):
        objective = super().value_and_grad(loss)

        def evaluate(image, *parameters):
            self.evaluations += 1
            found = objective(image, *parameters)
            for trap in filter(None, os.environ.get("TRAP", "").split(", ")):
                name, at = trap.split()
                found = getattr(self, name)(found) if int(at) == self.evaluations else found
            return found

        return evaluate

    def nan(self, found):
        return replace(found, loss=float("nan"))

    def kill(self, found):
        os.kill(os.getpid(), signal.SIGKILL)

    def interrupt(self, found):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        return found

    def interrupt_twice(self, found):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)
        return found

    def remove(self, found):
        shutil.rmtree("kept")
        return found

    def exhaust(self, found):
        raise MemoryError
"""


@pytest.fixture(scope="module")
def trapped(tmp_path_factory):
    """The environment in which the backend `trap` is installed: `TRAP="nan 3, kill 9"` are its evaluations.

    It counts all of them, so that a trap is for a quiet run, which times none beforehand.
    """
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "trap.py").write_text(ENTRY)
    (folder / "trap_parts.py").write_text(PARTS)
    (folder / "nst_trap-1.0.dist-info").mkdir()
    (folder / "nst_trap-1.0.dist-info" / "entry_points.txt").write_text("[nst.v1]\ntrap = trap\n")
    (folder / "nst_trap-1.0.dist-info" / "METADATA").write_text("Name: nst-trap\nVersion: 1.0\n")
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture
def pyramid(weights):
    """Options of a run of two sizes, its layers shallow."""
    layers = ["--style-layers", "relu1_1,relu2_1", "--content-layers", "relu2_2"]
    return ["--sizes", "32,48", "--steps", "5,6", "--device", "cpu", "--weights", str(weights), *layers]


def pixels(name="out.png"):
    with Image.open(name) as image:
        return np.asarray(image)


def assert_same(name, expected):
    np.testing.assert_array_equal(pixels(name), pixels(expected))


@pytest.mark.parametrize(
    "words",
    [[], ["--optimizer", "adam", "--average", "0.6", "--tile", "24", "--bleed", "0", "--init", "start.png"]],
    ids=["lbfgs", "adam, its mean, tiles and a start"],
)
def test_a_run_that_is_killed_goes_on_to_the_same_file(process, trapped, here, pyramid, photo, words):
    """Killed in the middle of the second size, and again in what went on from there."""
    images.save_image(here / "start.png", photo(36, 48, seed=4))
    command = ["stylize", *PAIR, *pyramid, *words, "--backend", "trap", *KEEP]
    assert process(*command, **trapped).code == 0
    shutil.move("out.png", "whole.png")
    os.unlink("run.nst")
    assert process(*command, "-q", TRAP="kill 9", **trapped).code == -signal.SIGKILL
    assert not os.path.exists("out.png")
    assert Checkpoint(Path("run.nst")).about["output"] == str(here / "out.png")
    again = ["resume", "run.nst", "--checkpoint-every", "0"]
    assert process(*again, "-q", TRAP="kill 3", **trapped).code == -signal.SIGKILL
    done = process(*again, **trapped)
    assert done.code == 0, done.err
    assert Path("out.png").read_bytes() == Path("whole.png").read_bytes()
    assert process("resume", "run.nst", "-q", "-o", "once-more.png", TRAP="kill 1", **trapped).code == 0
    assert Path("once-more.png").read_bytes() == Path("whole.png").read_bytes()


@pytest.mark.slow
def test_a_run_killed_at_any_moment_goes_on_to_the_same_picture(process, here, environment, pyramid):
    """At moments spread over the whole run, writing included; a run that left no checkpoint yet is simply run again."""
    command = [sys.executable, "-m", "nst", "stylize", *PAIR, *pyramid, "--steps", "60,60", *KEEP]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    shutil.move("out.png", "whole.png")
    dice, counts = random.Random(0), {"before": 0, "during": 0, "after": 0}
    for moment in range(KILLS):
        for name in ("run.nst", "out.png"):
            Path(name).unlink(missing_ok=True)
        running = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        if moment % 5:  # from the first checkpoint on; every fifth from the start
            while not os.path.exists("run.nst") and running.poll() is None:
                time.sleep(0.005)
        time.sleep(dice.uniform(0, 1.5))
        running.kill()
        running.wait()
        ended = "after" if os.path.exists("out.png") else "during" if os.path.exists("run.nst") else "before"
        counts[ended] += 1
        if ended == "after":
            assert_same("out.png", "whole.png")
        if ended != "before":
            done = process("resume", "run.nst", "-o", "resumed.png")
            assert done.code == 0, done.err
            assert_same("resumed.png", "whole.png")
    print(counts)
    assert counts["during"] > 0


@pytest.mark.parametrize(("how", "at"), [("interrupt", "9"), ("interrupt_twice", "4")])
def test_ctrl_c_keeps_a_checkpoint_to_go_on_from(process, trapped, here, pyramid, how, at):
    command = ["stylize", *PAIR, *pyramid, "--backend", "trap"]
    assert process(*command, **trapped).code == 0
    shutil.move("out.png", "whole.png")
    seldom = ["--checkpoint", "run.nst", "--checkpoint-every", "9999"]
    stopped = process(*command, "-q", *seldom, TRAP=f"{how} {at}", **trapped)
    assert stopped.code == 130, stopped.err
    assert stopped.err.splitlines()[-3].startswith("Interrupted; saved out.png ")
    assert process("resume", "run.nst", **trapped).code == 0
    assert_same("out.png", "whole.png")


def test_a_loss_that_was_not_a_number_on_the_way_changes_nothing(process, trapped, here, pyramid):
    """It happened before the run was killed, and is told of again at its end."""
    command = ["stylize", *PAIR, *pyramid, "--backend", "trap", "--optimizer", "adam"]
    assert process(*command, "-q", TRAP="nan 3", **trapped).code == 0
    shutil.move("out.png", "whole.png")
    assert process(*command, "-q", *KEEP, TRAP="nan 3, kill 9", **trapped).code == -signal.SIGKILL
    assert process("resume", "run.nst", "--report", "run.json", **trapped).code == 0
    assert_same("out.png", "whole.png")
    assert "the loss was not finite" in "".join(json.loads(Path("run.json").read_text())["notes"])


def test_memory_that_runs_out_is_survived_in_tiles(process, trapped, here, weights):
    """The image no longer fits at step 2; the run that goes on begins with the tiles it had come to."""
    words = ["--size", "160", "--levels", "1", "--steps", "6", "--device", "cpu", "--weights", str(weights)]
    words += ["--style-layers", "relu1_1", "--content-layers", "relu2_2", "--optimizer", "adam", "--backend", "trap"]
    assert process("stylize", *PAIR, "-q", *words, TRAP="exhaust 3", **trapped).code == 0
    shutil.move("out.png", "whole.png")
    killed = process("stylize", *PAIR, "-q", *words, *KEEP, TRAP="exhaust 3, kill 15", **trapped)
    assert killed.code == -signal.SIGKILL
    done = process("resume", "run.nst", **trapped)
    assert done.code == 0
    assert "continuing in tiles of 88 px" in done.err
    assert_same("out.png", "whole.png")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="limits are set by a shell")
def test_a_disk_that_is_full_costs_the_checkpoint_and_not_the_picture(here, environment, pyramid):
    """No file may grow beyond 16 kB: the picture fits, the checkpoint does not."""
    words = [sys.executable, "-m", "nst", "stylize", *PAIR, *pyramid, *KEEP]
    shell = ["bash", "-c", 'ulimit -f 16; exec "$@"', "bash", *words]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "cannot write 'run.nst': File too large; the run continues" in done.stderr
    assert os.path.exists("out.png")
    assert not os.path.exists("run.nst")
    assert not list(here.glob(".nst*")), "a half-written file"


@pytest.fixture
def small_disk(tmp_path_factory):
    """A file system of 64 kB."""
    folder = tmp_path_factory.mktemp("disk")
    mount = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(folder)]
    try:
        mounted = subprocess.run(mount, capture_output=True)
    except OSError:
        pytest.skip("there is no mount here")
    if mounted.returncode:
        pytest.skip(f"mounting is not allowed here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_what_a_small_disk_held_before_it_was_full_is_whole(process, small_disk, here, pyramid):
    """The first size's checkpoints fit, the second's do not: the last that did is still there, and goes on."""
    file = small_disk / "run.nst"
    done = process("stylize", *PAIR, *pyramid, "--checkpoint", file, "--checkpoint-every", "0")
    assert done.code == 0, done.err
    assert "No space left on device; the run continues" in done.err
    assert [path.name for path in small_disk.iterdir()] == ["run.nst"]
    assert process("resume", file, "-o", "again.png").code == 0
    assert_same("again.png", "out.png")


def test_a_folder_that_is_deleted_on_the_way_costs_the_checkpoint_and_not_the_picture(process, trapped, here, pyramid):
    (here / "kept").mkdir()
    words = ["--checkpoint", "kept/run.nst", "--checkpoint-every", "0", "--backend", "trap"]
    done = process("stylize", *PAIR, "-q", *pyramid, *words, TRAP="remove 4", **trapped)
    assert done.code == 0
    assert "cannot write 'kept/run.nst': No such file or directory; the run continues" in done.err
    assert os.path.exists("out.png")


@pytest.mark.slow
@pytest.mark.parametrize("limit", [300, 700, 1000])
def test_too_little_memory_is_said_and_leaves_nothing_half_written(here, environment, weights, limit):
    """Megabytes of address space: for less than the imports need, and for more."""
    size = ["--size", "1024", "--levels", "1", "--steps", "2", "--device", "cpu", "--weights", str(weights)]
    words = [sys.executable, "-m", "nst", "stylize", *PAIR, *size, *KEEP]
    shell = ["bash", "-c", f'ulimit -v {limit * 1024}; exec "$@"', "bash", *words]
    done = subprocess.run(shell, env=environment, capture_output=True, text=True)
    assert "Traceback" not in done.stderr
    assert (done.returncode == 0) == os.path.exists("out.png")
    assert not list(here.glob(".nst*")), "a half-written file"
    if os.path.exists("run.nst"):
        assert Checkpoint(Path("run.nst")).about["folder"] == str(here)


@pytest.fixture
def begun(nst, here, pyramid):
    """A folder with the checkpoint of a finished run, `run.nst`, and the picture it made."""
    assert nst("stylize", *PAIR, *pyramid, "--optimizer", "adam", *KEEP).code == 0
    return here


def refusal(done):
    """The one error of an outcome, and its hint."""
    assert (done.code, len(done.errors)) == (2, 1), done.err
    return done.errors[0], done.hints[0]


def test_a_finished_run_is_written_where_one_says(nst, begun):
    done = nst("resume", "run.nst", "-o", "again.png")
    assert done.code == 0
    assert Path("again.png").read_bytes() == Path("out.png").read_bytes()


def test_an_optimizer_that_cannot_go_on_is_one_mistake_among_others(nst, here, fast):
    words = ["--optimizer", "scipy-lbfgs", "--checkpoint-every", "-1", "--pooling", "most"]
    done = nst("stylize", *PAIR, *fast, "--checkpoint", "run.nst", *words)
    assert done.code == 2
    assert sorted(done.errors) == [
        "'scipy-lbfgs' cannot go on from a checkpoint",
        "--checkpoint-every must be 0 seconds or more, not -1.0",
        "unknown pooling 'most'",
    ]
    assert "choose from adam, laplacian-rmsprop, lbfgs, or leave --checkpoint out" in done.hints


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("none/run.nst", "cannot write 'none/run.nst': No such file or directory"),
        ("out.png", "--checkpoint 'out.png' is another file of this run"),
        ("notes.txt", "--checkpoint 'notes.txt' exists and is not a checkpoint"),
        (".", "'.' is a folder"),
    ],
)
def test_a_checkpoint_is_written_over_nothing_else(nst, here, fast, name, message):
    Path("notes.txt").write_text("mine")
    assert refusal(nst("stylize", *PAIR, *fast, "--checkpoint", name))[0] == message
    assert Path("notes.txt").read_text() == "mine"


def test_inputs_must_be_the_very_ones_wherever_they_are(nst, begun, photo):
    shutil.move("content.png", "moved.jpg.png")
    assert nst("resume", "run.nst", "-o", "again.png").code == 0
    images.save_image("style.png", photo(40, 40, seed=8))
    assert refusal(nst("resume", "run.nst"))[0] == "the style style.png has changed"
    os.unlink("style.png")
    assert refusal(nst("resume", "run.nst")) == (
        "the style style.png is gone",
        "--style FILE, or put it into this folder",
    )
    error, _ = refusal(nst("resume", "run.nst", "--style", "moved.jpg.png"))
    assert error == "moved.jpg.png is not the style of this run (style.png)"


def test_masks_and_folders_of_works_are_the_very_ones(process, trapped, here, pyramid, photo):
    (here / "works").mkdir()
    for seed, name in enumerate(("works/a.png", "works/b.png", "sky.png", "face.png")):
        images.save_image(here / name, photo(36, 40, seed=seed + 2))
    words = ["content.png", "works", "--mask", "sky.png:style.png", "--protect", "face.png", "-o", "out.png"]
    command = ["stylize", *words, *pyramid, "--optimizer", "adam", "--backend", "trap", *KEEP]
    assert process(*command, **trapped).code == 0
    shutil.move("out.png", "whole.png")
    os.unlink("run.nst")
    assert process(*command, "-q", TRAP="kill 7", **trapped).code == -signal.SIGKILL
    shutil.move("works", "moved")
    shutil.move("sky.png", "heaven.png")
    assert "the style works/a.png is gone" in process("resume", "run.nst", **trapped).err
    again = ["resume", "run.nst", "--style", "moved", "--style", "style.png"]
    assert "moved/a.png is not the mask" in process(*again, "--mask", "moved/a.png", **trapped).err
    done = process(*again, **trapped)
    assert done.code == 0, done.err
    assert Path("out.png").read_bytes() == Path("whole.png").read_bytes()


def test_a_film_of_a_run_that_goes_on_shows_the_rest(nst, begun):
    assert nst("resume", "run.nst", "-o", "again.png", "--timelapse", "film.gif").code == 0
    with Image.open("film.gif") as film:
        assert film.n_frames == 1, "nothing was left to do"


def test_it_goes_on_from_another_folder(nst, begun, monkeypatch):
    (begun / "elsewhere").mkdir()
    monkeypatch.chdir("elsewhere")
    assert nst("resume", "../run.nst", "-o", "again.png").code == 0
    assert Path("again.png").read_bytes() == Path("../out.png").read_bytes()


def test_other_weights_are_refused(nst, here, make_network):
    from nst.vgg.network import write

    write(here / "mine.safetensors", make_network())
    words = ["--size", "48", "--levels", "1", "--steps", "2", "--device", "cpu", "--weights", "mine.safetensors"]
    assert nst("stylize", *PAIR, *words, *KEEP).code == 0
    write(here / "mine.safetensors", make_network(seed=5))
    assert refusal(nst("resume", "run.nst"))[0] == "the weights mine.safetensors has changed"


def test_other_versions_are_said(nst, begun, forged):
    forged(lambda run: run["about"]["record"]["versions"].update({"torch": "0.4", "numpy": "1.0"}))
    done = nst("resume", "run.nst", "-o", "again.png")
    assert done.code == 0
    assert "torch was 0.4, and is " in done.err
    assert "numpy was 1.0, and is " in done.err


@pytest.mark.parametrize(
    "change",
    [
        lambda run: run["about"].pop("record"),
        lambda run: run["about"].update(output=3),
        lambda run: run["about"].pop("folder"),
        lambda run: run["about"]["record"]["recipe"].update(size="huge"),
        lambda run: run["about"]["record"]["recipe"].update(size=64, sizes=[]),
        lambda run: run["about"]["record"]["recipe"].update(steps=[2, 2]),
        lambda run: run["about"]["record"]["recipe"].update(average=0.5),
        lambda run: run["about"]["record"]["recipe"].update(optimizer="scipy-lbfgs"),
        lambda run: run["about"].update(output="/proc/self/mem"),
        lambda run: run.update(level=7),
    ],
    ids=range(10),
)
def test_a_checkpoint_that_contradicts_itself_is_refused_and_nothing_is_written(nst, begun, change, forged):
    forged(change)
    before = {path: path.stat().st_mtime_ns for path in begun.iterdir()}
    done = nst("resume", "run.nst")
    assert done.code == 2
    assert done.errors
    assert "Traceback" not in done.err
    assert {path: path.stat().st_mtime_ns for path in begun.iterdir()} == before


@pytest.mark.parametrize("content", [b"", b"x" * 100, b"\x80\x04pickle", b"\xff" * 64])
def test_a_file_that_is_no_checkpoint_is_refused(nst, here, content):
    Path("run.nst").write_bytes(content)
    error, hint = refusal(nst("resume", "run.nst"))
    assert error.startswith("'run.nst' is not a complete checkpoint: ")
    assert hint == "give the file that --checkpoint named, or start the run anew"


def test_a_network_that_paints_in_one_pass_has_nothing_to_go_on_from(nst, here, plugins, monkeypatch):
    from nst.cli.session import Session
    from nst.job.inputs import Sources

    class Pass:
        steps = (0,)

        class spec:  # noqa: N801
            name = "one-pass"

    monkeypatch.setattr("nst.cli.session.Job", lambda *_, **__: Pass)
    session = Session(Path("out.png"), checkpoint=Path("run.nst"))
    with pytest.raises(Exception, match="--checkpoint means nothing to 'one-pass', which stylizes in one pass"):
        session.job(Sources("content.png", ["style.png"]), *session.recipe({}))
