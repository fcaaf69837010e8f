"""`nst batch`: what it says and leaves, and what it answers to mistakes and Ctrl-C."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from nst.images import save_image

ONE = ["--backend", "example-image-backend", "--size", "24"]


@pytest.fixture
def desk(tmp_path, photo, monkeypatch):
    for seed, name in enumerate(("photos/cat.png", "photos/dog.png", "sea.png")):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        save_image(tmp_path / name, photo(18, 24, seed=seed) * (0.5 if name == "sea.png" else 1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.frameworks
def test_a_folder_is_painted_kept_and_told_of(process, desk):
    words = ["batch", "--content", "photos/*.png", "--style", "sea.png", "-o", "out", *ONE]
    first = process(*words)
    assert (first.code, first.out) == (0, "")
    assert "[2/2] dog--sea.png: finished" in first.err
    assert first.err.splitlines()[-1] == "2 of 2 pictures: 2 finished; see out/index.html"
    assert process(*words, "--jobs", "2").err.splitlines()[-1] == "2 of 2 pictures: 2 kept; see out/index.html"
    assert process(*words, "--fresh", "--quiet").err == ""


@pytest.mark.frameworks
def test_the_bytes_are_those_of_stylize(process, desk):
    process("batch", "--content", "photos/cat.png", "--style", "sea.png", "-o", "out", *ONE, "--quality", "90")
    process("stylize", "photos/cat.png", "sea.png", "-o", "one.png", *ONE, "--quality", "90")
    assert Path("out/cat--sea.png").read_bytes() == Path("one.png").read_bytes()


@pytest.mark.frameworks
def test_a_picture_that_fails_is_told_and_costs_the_exit_code(process, desk):
    Path("photos/a.jpg").write_bytes(b"PK\x03\x04")
    done = process("batch", "--content", "photos/*", "--style", "sea.png", "-o", "out", *ONE, "--quiet")
    assert done.code == 1
    assert "a--sea.png: failed: photos/a.jpg is not a picture Pillow can read" in done.err
    assert Path("out/dog--sea.png").is_file()


def test_every_mistake_is_told_at_once(nst, desk):
    Path("pairs.csv").write_text("content,picture\n")
    done = nst("batch", "--pairs", "pairs.csv", "-o", "out", "--size", "x", "--executor-option", "nonsense")
    assert done.code == 2
    assert done.errors[:2] == ["'pairs.csv' has no column style", "unknown column in 'pairs.csv': 'picture'"]
    assert done.errors[2] == "--executor-option: has 'nonsense' where name=value belongs"
    assert "--size: must be a whole number" in done.errors[3]
    assert len(done.errors) == 4


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--executor", "cloud"], "unknown executor 'cloud'"),
        (["--jobs", "0"], "jobs must be 1 or more, not 0"),
        (["--address", "auto"], "unknown option of local: 'address'"),
        (["--color", "pink"], "unknown color mode 'pink'"),
        (["--style", "*.tif"], "--style '*.tif' names no picture"),
        (["--pairs", "x.csv"], "--pairs says what to paint like what"),
    ],
)
def test_a_mistake_of_the_whole_is_told_before_anything_is_painted(nst, desk, words, error):
    done = nst("batch", "--content", "photos", "--style", "sea.png", "-o", "out", *words)
    assert done.code == 2
    assert any(told.startswith(error) for told in done.errors), done.errors
    assert not Path("out").exists()


@pytest.mark.frameworks
@pytest.mark.skipif(sys.platform != "linux", reason="needs /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_leaves_the_report_and_nothing_running(desk, environment, number):
    words = ["--content", "photos", "--style", "sea.png", "-o", "out", "--backend", "example-backend"]
    words += [
        "--style-layers",
        "relu1_1",
        "--content-layers",
        "relu1_1",
        "--optimizer",
        "adam",
        "--size",
        "24",
        "--levels",
        "1",
    ]
    command = [sys.executable, "-m", "nst", "batch", *words, "--optimizer", "adam", "--steps", "1000000"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, env=environment, text=True) as running:
        while not (painters := _children(running.pid)):
            time.sleep(0.05)
        time.sleep(1)
        running.send_signal(number)
        try:
            _, said = running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == 130
    assert said.splitlines()[-1] == "interrupted; 0 of 2 pictures; run the same command again to paint the rest"
    assert [pid for pid in painters if os.path.exists(f"/proc/{pid}")] == []
    assert Path("out/report.csv").is_file()


def _children(pid: int) -> list[str]:
    try:
        return Path(f"/proc/{pid}/task/{pid}/children").read_text().split() + [
            child
            for thread in Path(f"/proc/{pid}/task").iterdir()
            for child in (thread / "children").read_text().split()
        ]
    except OSError:
        return []
