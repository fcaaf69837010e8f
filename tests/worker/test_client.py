"""The worker: a picture from another process, byte for byte that of `nst stylize`, whatever becomes of the process."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image

from nst.images import save_image
from nst.orders import Done, Failed, Order, Preview, Started, Step
from nst.persistence.checkpoint import Checkpoint
from nst.worker.client import Worker

pytestmark = pytest.mark.frameworks

LAYERS = {"style_layers": {"relu1_1": 1, "relu2_1": 1}, "content_layers": {"relu2_1": 1}}
EXAMPLE = {"backend": "example-backend", "optimizer": "adam", **LAYERS}
RECIPE = {**EXAMPLE, "size": 40, "levels": 1, "steps": 6}
ONE_PASS = {"backend": "example-image-backend", "size": 40}


@pytest.fixture
def order(tmp_path, photo, monkeypatch) -> Order:
    save_image(tmp_path / "content.png", photo(36, 48))
    save_image(tmp_path / "style.png", photo(40, 40, seed=1))
    monkeypatch.chdir(tmp_path)
    return Order("content.png", ["style.png"], "out.png", RECIPE)


@pytest.fixture(scope="module")
def worker():
    """One process for all tests but those that end it."""
    with Worker() as worker:
        yield worker


@pytest.fixture
def own_worker():
    with Worker() as worker:
        yield worker


def outcome(worker: Worker, order: Order) -> Done | Failed:
    *_, last = worker.paint(order)
    return last


def alive(pid: int) -> bool:
    """Whether a process runs; one that has ended and whom nobody has asked about does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def wait_until(condition, seconds: float = 30) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return bool(condition())


def stylize(*words: str) -> None:
    options = ["--style-layers", "relu1_1=1,relu2_1=1", "--content-layers", "relu2_1=1", "--optimizer", "adam"]
    words = ["content.png", "style.png", *words, "--backend", "example-backend", *options, "--size", "40"]
    subprocess.run([sys.executable, "-m", "nst", "stylize", *words, "--levels", "1", "--steps", "6", "-q"], check=True)


def test_a_picture_is_told_of_from_the_start_to_the_end(worker, order):
    started, *steps, done = worker.paint(order)
    assert isinstance(started, Started)
    assert (started.device, started.sizes, started.steps) == ("cpu", [40], [6])
    assert [step.step for step in steps] == [1, 2, 3, 4, 5, 6]
    assert all(isinstance(step, Step) and step.steps == 6 and step.loss > 0 for step in steps)
    assert steps[-1].left == 0 < steps[0].left
    assert isinstance(done, Done)
    assert (done.output, done.stopped, len(done.report["history"])) == ("out.png", "finished", 6)


def test_its_bytes_are_those_of_the_command_line(worker, order):
    stylize("-o", "cli.png")
    assert isinstance(outcome(worker, order), Done)
    assert Path("out.png").read_bytes() == Path("cli.png").read_bytes()


def test_a_folder_that_is_not_there_is_named(worker, order):
    assert "cannot enter the folder /nowhere" in outcome(worker, replace(order, folder="/nowhere")).message


def test_the_process_serves_another_picture(worker, order):
    pids = set()
    for output in ("a.png", "b.png"):
        assert isinstance(outcome(worker, replace(order, output=output)), Done)
        pids.add(worker.pid)
    assert len(pids) == 1


def test_another_backend_gets_another_process(own_worker, order):
    outcome(own_worker, order)
    first = own_worker.pid
    assert isinstance(outcome(own_worker, replace(order, recipe=ONE_PASS)), Done)
    assert own_worker.pid != first
    assert not alive(first)


def test_a_mistake_is_the_user_s_with_every_part_of_it(worker, order):
    failed = outcome(worker, replace(order, content="gone.png", recipe={**RECIPE, "optimizer": "amad"}))
    assert failed.mistake
    assert "there is no file gone.png" in failed.message
    assert "unknown optimizer 'amad'" in failed.message
    assert "choose from adam" in failed.hint
    assert isinstance(outcome(worker, order), Done)


def test_values_that_cannot_be_read_are_named(worker, order):
    failed = outcome(worker, replace(order, recipe={"size": "large", "stepps": 3}))
    assert failed.mistake
    assert "--size" in failed.message
    assert "stepps" in failed.message


def test_a_picture_that_cannot_be_written_is_no_mistake_of_the_recipe(worker, order):
    failed = outcome(worker, replace(order, output="nowhere/out.png"))
    assert "there is no folder nowhere" in failed.message


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_process_that_dies_is_told_with_its_signal_and_the_next_order_gets_another(own_worker, order):
    events = own_worker.paint(replace(order, recipe={**RECIPE, "steps": 100_000}))
    assert isinstance(next(events), Started)
    os.kill(own_worker.pid, signal.SIGSEGV)
    *_, failed = events
    assert (failed.signal, failed.mistake) == ("SIGSEGV", False)
    assert failed.message == "the worker died of SIGSEGV"
    assert "Segmentation fault" in failed.hint
    assert not Path("out.png").exists()
    assert isinstance(outcome(own_worker, order), Done)


def test_to_stop_keeps_the_best_so_far_and_the_checkpoint_goes_on_from_there(own_worker, order):
    stylize("-o", "whole.png")
    begun = replace(order, checkpoint="run.nst", checkpoint_every=0, recipe={**RECIPE, "steps": 6})
    events = own_worker.paint(begun)
    for event in events:
        if isinstance(event, Step) and event.step == 1:
            own_worker.stop()
    assert isinstance(event, Done)
    taken = len(event.report["history"])
    assert event.stopped == ("interrupted" if taken < 6 else "finished")
    assert Path("out.png").is_file()
    done = outcome(own_worker, Order(resume="run.nst", output="on.png"))
    assert (done.stopped, len(done.report["history"])) == ("finished", 6)
    assert Image.open("on.png").tobytes() == Image.open("whole.png").tobytes()


def test_a_stop_ends_a_long_run_at_its_next_step(own_worker, order):
    events = own_worker.paint(replace(order, recipe={**RECIPE, "steps": 1_000_000}))
    for event in events:
        if isinstance(event, Step) and event.step == 3:
            own_worker.stop()
    assert event.stopped == "interrupted"
    assert isinstance(outcome(own_worker, order), Done), "a stop is for the order it came in"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process there at once")
def test_sigterm_ends_the_run_with_picture_and_checkpoint_and_then_the_process(own_worker, order):
    for event in own_worker.paint(replace(order, recipe={**RECIPE, "steps": 1_000_000}, checkpoint="run.nst")):
        if isinstance(event, Step) and event.step == 3:
            os.kill(own_worker.pid, signal.SIGTERM)
    assert event.stopped == "interrupted"
    with Image.open("out.png") as image:
        assert image.size == (40, 30)
    assert len(Checkpoint("run.nst").about["record"]["inputs"]) == 2
    assert own_worker._process.wait(30) == 143
    assert isinstance(outcome(own_worker, order), Done), "another process takes the next order"


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process there at once")
def test_sigterm_ends_an_idle_process(own_worker, order):
    outcome(own_worker, order)
    os.kill(own_worker.pid, signal.SIGTERM)
    assert own_worker._process.wait(30) == 143


@pytest.mark.skipif(sys.platform == "win32", reason="SIGTERM ends a process there at once")
def test_an_interrupted_picture_is_not_left_where_a_batch_would_keep_it(own_worker, order):
    for event in own_worker.paint(replace(order, recipe={**RECIPE, "steps": 1_000_000}, fresh=False)):
        if isinstance(event, Step) and event.step == 3:
            own_worker.stop()
    assert event == Failed("interrupted", "run it again")
    assert not Path("out.png").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_whoever_leaves_early_ends_the_process(own_worker, order):
    events = own_worker.paint(replace(order, recipe={**RECIPE, "steps": 1_000_000}))
    next(events)
    pid = own_worker.pid
    events.close()
    assert not alive(pid)


def test_a_process_ended_on_purpose_is_no_crash(own_worker, order):
    events = own_worker.paint(replace(order, recipe={**RECIPE, "steps": 1_000_000}))
    next(events)
    own_worker.kill()
    *_, failed = events
    assert failed.message == "the worker was ended"


@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
def test_a_worker_ends_with_its_parent(order, tmp_path):
    """Even one that is killed, and has no time for anything."""
    program = (
        "import os, signal\n"
        "from nst.orders import Order\n"
        "from nst.worker.client import Worker\n"
        f"worker = Worker()\nnext(worker.paint(Order(**{ {**vars(order), 'recipe': {**RECIPE, 'steps': 10**6}}!r})))\n"
        "print(worker.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert wait_until(lambda: not alive(int(done.stdout)))


def test_previews_come_after_so_many_steps_and_no_larger_than_asked(worker, order):
    events = [*worker.paint(replace(order, preview_steps=2, preview_size=16))]
    shown = [event for event in events if isinstance(event, Preview)]
    assert shown
    assert {event.step for event in shown} <= {2, 4, 6}
    assert {Image.open(io.BytesIO(event.jpeg)).size for event in shown} == {(16, 12)}


def test_a_network_that_paints_in_one_pass_has_no_steps(own_worker, order):
    started, done = own_worker.paint(replace(order, recipe=ONE_PASS, preview_steps=1))
    assert (started.steps, done.stopped) == ([0], "finished")
