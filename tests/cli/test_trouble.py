"""What becomes of a picture when a run is interrupted, or its loss is not finite."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
from PIL import Image

from nst.cli import interrupt
from nst.persistence.checkpoint import Checkpoint, Plan

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is sent to processes differently there"),
]

PAIR = ["content.png", "style.png", "-o", "out.png"]

ENTRY = """
from nst import BackendSpec, InitializerSpec, hookimpl
from nst.vgg.architecture import vgg_layers

@hookimpl
def nst_backends():
    offered = {"architecture": "vgg19", "layers": vgg_layers("vgg19"), "pooling": ("max",)}
    yield BackendSpec("unsteady", "unsteady_parts:Unsteady", **offered)

@hookimpl
def nst_initializers():
    yield InitializerSpec("slow", "unsteady_parts:slow")
"""

PARTS = """
import os, pathlib, time
from dataclasses import replace
from nst_torch.vgg import VGG

class Unsteady(VGG):
    def value_and_grad(self, loss):
        objective, calls = super().value_and_grad(loss), []

        def unsteady(image, *parameters):
            calls.append(image)
            found = objective(image, *parameters)
            spoiled = len(calls) >= 4 if os.environ["UNSTEADY"] == "from the 4th on" else len(calls) == 4
            return replace(found, loss=float("nan")) if spoiled else found

        return unsteady

def slow(content, styles, rng):
    pathlib.Path("started").touch()
    time.sleep(60)
"""


def before(folder):
    """The environment in which Python finds what is in the folder first."""
    return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}


@pytest.fixture(scope="module")
def unsteady(tmp_path_factory):
    """The environment in which a plugin with an unsteady backend and a slow initializer is installed."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "unsteady.py").write_text(ENTRY)
    (folder / "unsteady_parts.py").write_text(PARTS)
    (folder / "nst_unsteady-1.0.dist-info").mkdir()
    (folder / "nst_unsteady-1.0.dist-info" / "entry_points.txt").write_text("[nst.v1]\nunsteady = unsteady\n")
    (folder / "nst_unsteady-1.0.dist-info" / "METADATA").write_text("Name: nst-unsteady\nVersion: 1.0\n")
    return before(folder)


@pytest.fixture
def interrupted(here, environment):
    """`interrupted(file, *words)`: Ctrl-C as soon as nst, called with the words, has made the file."""

    def call(file, *words, times=1, number=signal.SIGINT, **changes):
        command = [sys.executable, "-m", "nst", "stylize", *PAIR, *words]
        running = subprocess.Popen(command, env=environment | changes, stderr=subprocess.PIPE, text=True)
        deadline = time.monotonic() + 60
        while not (here / file).exists() and running.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
        for _ in range(times):
            running.send_signal(number)
            time.sleep(0.002)
        told = running.communicate(timeout=60)[1]
        assert "Traceback" not in told
        assert not list(here.glob(".nst*")), "a half-written file"
        return running.returncode, told

    return call


ENDLESS = ["--steps", "100000", "--save-every", "1", "--report", "run.json"]


@pytest.mark.parametrize("times", [1, 2, pytest.param(5, marks=pytest.mark.slow)])
def test_ctrl_c_leaves_the_best_picture_so_far_however_often_it_is_pressed(interrupted, here, fast, times):
    code, told = interrupted("out-0002.png", *fast, *ENDLESS, times=times)
    assert code == 130
    ending, files = told.splitlines()[-2:]
    assert ending.startswith("Interrupted; saved out.png (48×36): ")
    assert re.fullmatch(r"Also saved: run\.json, out-0001\.png(,| …) out-\d{4,}\.png", files)
    with Image.open("out.png") as image:
        image.load()
        assert image.size == (48, 36)
    report = json.loads((here / "run.json").read_text())
    assert report["stopped"] == "interrupted"
    assert 2 <= len(report["history"]) < 100_000


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process there at once")
def test_sigterm_is_ctrl_c_and_leaves_picture_and_checkpoint(interrupted, here, fast):
    """So end `docker stop`, SLURM and systemd a run; nothing was due of the checkpoint yet."""
    code, told = interrupted("out-0002.png", *fast, *ENDLESS, "--checkpoint", "run.nst", number=signal.SIGTERM)
    assert code == 130
    ending, _, command = told.splitlines()[-3:]
    assert ending.startswith("Interrupted; saved out.png (48×36): ")
    assert command == "To continue: nst resume run.nst"
    steps = len(json.loads((here / "run.json").read_text())["history"])
    snapshot = Checkpoint("run.nst").snapshot(Plan([(42, 54)], [100_000], averaged=False))
    assert (snapshot.taken, len(snapshot.history)) == (steps, steps)


@pytest.mark.slow
def test_ctrl_c_speaks_up_even_when_quiet(interrupted, fast):
    code, told = interrupted("out-0001.png", *fast, *ENDLESS, "--quiet")
    assert code == 130
    assert told.startswith("Interrupted; saved out.png (48×36): ")
    assert told.count("\n") == 2


def test_after_ctrl_c_the_command_that_continues_is_printed(interrupted, fast):
    words = ["--steps", "100000", "--save-every", "1", "--checkpoint", "my run.nst"]
    code, told = interrupted("out-0002.png", *fast, *words)
    assert code == 130
    assert told.splitlines()[-1] == "To continue: nst resume 'my run.nst'"


@pytest.fixture
def ctrl_c():
    """Puts Ctrl-C and SIGTERM back for pytest."""
    before = {number: signal.getsignal(number) for number in interrupt.SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("first", interrupt.SIGNALS)
def test_ctrl_c_counts_once_within_a_second(monkeypatch, ctrl_c, first):
    with interrupt.interrupted_once():
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(first)
        signal.raise_signal(signal.SIGINT)
        monkeypatch.setattr(interrupt, "GRACE", 0)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN  # the process is on its way out


@pytest.mark.parametrize("number", interrupt.SIGNALS)
def test_a_run_that_nobody_interrupts_leaves_ctrl_c_as_it_was(number):
    before = signal.getsignal(number)
    with interrupt.interrupted_once():
        assert signal.getsignal(number) is not before
    assert signal.getsignal(number) is before


def test_ctrl_c_before_the_first_step_leaves_nothing(interrupted, here, fast, unsteady):
    code, told = interrupted("started", *fast, "--init", "slow", "--report", "run.json", **unsteady)
    assert code == 130
    assert told.splitlines()[-1] == "interrupted; no picture was written"
    assert sorted(path.name for path in here.iterdir()) == ["content.png", "started", "style.png"]


def test_ctrl_c_while_still_importing(interrupted, here, tmp_path_factory):
    folder = tmp_path_factory.mktemp("modules")
    (folder / "typer.py").write_text("import pathlib, time\npathlib.Path('started').touch()\ntime.sleep(60)\n")
    assert interrupted("started", **before(folder)) == (130, "interrupted\n")


def test_a_loss_that_is_not_a_number_costs_half_the_step_and_not_the_picture(process, here, fast, unsteady):
    words = ["--backend", "unsteady", "--optimizer", "adam", "--steps", "8", "--report", "run.json"]
    done = process("stylize", *PAIR, *fast, *words, UNSTEADY="at the 4th", **unsteady)
    assert done.code == 0
    note = "the loss was not finite: went back to the last good image (loss"
    assert done.err.count(note) == 1
    assert "with steps 0.5 times as long" in done.err
    report = json.loads((here / "run.json").read_text())
    assert [row["step"] for row in report["history"]] == list(range(1, 9))
    assert any(told.startswith(note) for told in report["notes"])
    assert Image.open("out.png").size == (48, 36)


def test_a_loss_that_stays_not_a_number_ends_the_run_with_what_there_was(process, here, fast, unsteady):
    words = ["--backend", "unsteady", "--optimizer", "adam", "--steps", "8", "--report", "run.json"]
    done = process("stylize", *PAIR, *fast, *words, UNSTEADY="from the 4th on", **unsteady)
    assert done.code == 1
    assert "gave up after 10 halvings" in done.err
    assert "Stopped at the last finite loss; saved out.png (48×36)" in done.err.splitlines()[-2]
    assert json.loads((here / "run.json").read_text())["stopped"] == "diverged"
    assert Image.open("out.png").size == (48, 36)


def test_a_loss_that_never_was_a_number_leaves_nothing(process, here, fast):
    done = process("stylize", *PAIR, *fast, "--content-weight", "1e300")
    assert done.code == 1
    assert done.errors == ["the loss is not finite from the first step on"]
    assert "lower the weights" in done.hints[0]
    assert not os.path.exists("out.png")
