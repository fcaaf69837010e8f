"""`nst compare` from end to end, each backend in a process of its own, some of which do not come back."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from nst.images import load_image, save_image

from .conftest import FAST, Outcome

pytestmark = [pytest.mark.frameworks, pytest.mark.slow]

PAIR = ("content.png", "style.png")
TWICE = "right@small.safetensors,torch-vgg19@same.safetensors"


@pytest.fixture(scope="module")
def twice(compare) -> Outcome:
    """One network under two names and from two files, beside another one and a network of one pass."""
    backends = f"{TWICE},right@other.safetensors,painter"
    words = [word for word in FAST if word != "--quiet"]
    return compare(*PAIR, "--backends", backends, *words, "--jobs", "2", output="twice")


@pytest.fixture(scope="module")
def wrong(compare, twice) -> Outcome:
    """Beside the one that is right: a wrong scale, a death, and one that runs out of memory."""
    backends = "right,scaled,killed,starved"
    return compare(*PAIR, "--backends", backends, "--weights", "small.safetensors", *FAST, output="wrong")


def test_the_same_network_passes_every_check(twice):
    assert twice.code == 0, twice.err
    rows = twice.rows(name="torch-vgg19@same.safetensors", against="right@small.safetensors")
    assert {row["check"] for row in rows} == {"features", "terms", "gradient", "peak", "adam"}
    assert {row["at"] for row in rows if row["check"] == "gradient"} == {"content", "noise", "half-way"}
    assert {row["parity"] for row in rows} == {"pass"}
    own = twice.rows(name="right@small.safetensors", against="reference")
    assert len(own) > 15
    assert {row["parity"] for row in own} == {"pass"}


def test_another_network_is_told_apart_and_not_judged(twice):
    rows = twice.rows(name="right@other.safetensors", against="right@small.safetensors")
    assert {row["parity"] for row in rows} == {"different"}
    assert {row["reason"] for row in rows} == {"different weights, preprocessing (torchvision and caffe)"}
    assert {row["parity"] for row in twice.rows(name="right@other.safetensors", against="reference")} == {"pass"}


def test_a_network_of_one_pass_takes_what_means_something_to_it(twice):
    column = twice.column("painter")
    assert column["status"] == "finished"
    assert (column["weights"], column["sizes"], column["steps"]) == ("none", [48], [0])
    assert column["notes"] == ["a note of the painter's"]
    assert twice.rows(name="painter") == []


def test_every_picture_is_judged_timed_and_shown(twice):
    for column in twice.report["columns"]:
        assert column["judgement"]["style_mean"] > 0
        assert column["seconds"] >= 0
        assert column["peak_memory"] > 1e6
        assert column["versions"]["python"]
        assert load_image(twice.folder / column["picture"]).shape == (36, 48, 3)
    assert load_image(twice.folder / "sheet.png").shape[1] > 300


def test_the_terminal_gets_tables_and_the_place_of_the_report(twice):
    for words in ("Evaluation", "Parity", "Cost", "twice/index.html", "NumPy, float64"):
        assert words in twice.out
    assert "different weights, preprocessing (torchvision and caffe)" in twice.out
    assert "painter: started" in twice.err


def test_a_wrong_scale_fails_and_is_named(wrong):
    assert wrong.code == 1
    for against in ("reference", "right"):
        rows = wrong.rows(name="scaled", against=against, check="features")
        assert {row["parity"] for row in rows} == {"fail"}
        assert {round(row["error"], 4) for row in rows} == {0.01}
    assert {row["parity"] for row in wrong.rows(name="right")} == {"pass"}


def test_a_backend_that_is_killed_says_where_and_stops_nobody(wrong):
    column = wrong.column("killed")
    assert column["status"] == "failed"
    assert list(column["failures"]) == ["gradient"]
    assert "signal 9" in column["failures"]["gradient"]
    assert {row["check"] for row in wrong.rows(name="killed")} == {"features"}, "what came before is lost"
    assert "signal 9" in (wrong.folder / "index.html").read_text("utf-8")
    assert wrong.column("right")["status"] == wrong.column("scaled")["status"] == "finished"


def test_a_backend_out_of_memory_has_its_other_stages(wrong):
    column = wrong.column("starved")
    assert column["failures"]["gradient"] == "not enough memory, even in small tiles (choose a smaller --size)"
    assert column["failures"]["picture"] == "not enough memory, even in small tiles (choose a smaller --size)"
    assert {row["against"] for row in wrong.rows(name="starved")} == {"reference", "right"}


def test_what_has_finished_is_not_run_again(compare, twice):
    """Fewer of the same: nothing runs, and the parities are read from what lies there."""
    before = twice.times
    again = compare(*PAIR, "--backends", TWICE, *FAST, output="twice")
    assert again.code == 0, again.err
    assert again.times == before
    assert len(again.report["columns"]) == 2
    assert {row["parity"] for row in again.report["rows"]} == {"pass"}
    assert again.out == ""


def test_a_grid_of_recipes_runs_once(compare):
    grid = ("--vary", "optimizer=lbfgs,adam", "--vary", "style-layers=relu1_1,relu2_1=2;relu3_1")
    words = (*FAST, "--weights", "small.safetensors", "--jobs", "2")
    first = compare(*PAIR, *grid, *words, output="grid")
    assert first.code == 0, first.err
    names = [column["name"] for column in first.report["columns"]]
    assert names[0] == "optimizer=lbfgs, style-layers=relu1_1,relu2_1=2"
    assert len(names) == 4
    assert first.report["rows"] == []
    before = first.times
    assert compare(*PAIR, *grid, *words, output="grid").times == before
    other = compare(*PAIR, *grid[:2], *words, "--init", "noise", output="grid")
    assert other.code == 0, other.err
    assert len(other.times) > len(before), "another recipe is another cell"
    assert before.items() <= other.times.items(), "and leaves the others alone"


def test_a_worker_loads_a_network_once_for_all_its_cells(compare):
    """The cells of one network follow one another, whatever is varied first."""
    grid = ("--backends", "right", "--vary", "seed=1,2", "--vary", "weights=small.safetensors,other.safetensors")
    done = compare(*PAIR, *grid, *FAST, output="loaded")
    assert done.code == 0, done.err
    assert len(done.report["columns"]) == 4
    assert done.built == 2
    assert all(column["peak_memory"] > 1e6 for column in done.report["columns"])


def test_pictures_from_anywhere_are_judged_the_same_way(compare, desk, photo):
    save_image(desk / "mine.jpg", photo(36, 48))
    save_image(desk / "theirs.png", np.ascontiguousarray(photo(36, 48)[::-1]))
    found = compare("mine.jpg", "theirs.png", "style.png", "--against", *PAIR, "--quiet", output="judged")
    assert found.code == 0, found.err
    content, ssim, style = (
        {column["name"]: column["judgement"][measure] for column in found.report["columns"]}
        for measure in ("content", "ssim", "style_mean")
    )
    assert content["mine.jpg"] < 0.5 * content["theirs.png"]
    assert ssim["mine.jpg"] > 0.9 > ssim["theirs.png"]
    assert min(style, key=style.__getitem__) == "style.png"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_the_workers_and_shows_what_is_finished(desk, environment, number):
    output = f"stopped-by-{number}"
    command = [sys.executable, "-m", "nst", "compare", *PAIR, "--backends", "painter,slow", *FAST]
    words = [*command, "--weights", "small.safetensors", "-o", output]

    with subprocess.Popen(words, cwd=desk, env=environment, stderr=subprocess.PIPE) as process:
        facts, deadline = None, time.monotonic() + 60
        while facts is None or "pinned" not in facts.read_text():
            assert time.monotonic() < deadline
            time.sleep(0.05)
            facts = next((desk / output).glob("cells/slow-*/facts.json"), None)
        workers = subprocess.run(["pgrep", "-P", str(process.pid)], capture_output=True, text=True).stdout.split()
        process.send_signal(number)
        assert process.wait(20) == 130
    assert workers
    assert not any(os.path.exists(f"/proc/{worker}") for worker in workers)
    columns = json.loads((desk / output / "report.json").read_text("utf-8"))["columns"]
    status = {column["name"]: column["status"] for column in columns}
    assert status == {"painter": "finished", "slow": "not finished"}


def test_the_parent_imports_no_framework(desk, environment):
    program = (
        "import sys\n"
        f"sys.argv = ['nst', 'compare', *{PAIR!r}, '--backends', 'right,painter', *{FAST!r},"
        " '--weights', 'small.safetensors', '-o', 'light']\n"
        "from nst.cli.app import run\n"
        "print(run(sys.argv[1:]), sorted({'torch', 'tensorflow', 'keras', 'nst_torch.vgg'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=desk, env=environment, capture_output=True, text=True)
    assert done.stdout == "0 []\n", done.stderr
