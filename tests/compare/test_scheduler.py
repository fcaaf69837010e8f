"""How many workers, in which surroundings, and what becomes of those that end badly."""

from __future__ import annotations

import json
import os
import signal
from types import SimpleNamespace

import pytest

from nst.compare import scheduler

GONE = {"content": "gone.png", "styles": ["gone.png"], "recipe": {}, "probe": False, "max_pixels": None}


@pytest.mark.parametrize(
    ("wanted", "memory", "jobs", "why"),
    [
        (1, 64e9, 1, ""),
        (3, 64e9, 3, ""),
        (8, 64e9, 4, "for 4 cores"),
        (4, 4e9, 2, "for 4.0 GB of free memory"),
        (2, 1e8, 1, "for 0.1 GB of free memory"),
        (0, 64e9, 0, ""),
    ],
)
def test_jobs_are_what_cores_and_memory_allow(monkeypatch, wanted, memory, jobs, why):
    monkeypatch.setattr(scheduler.os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    monkeypatch.setattr(scheduler, "_free_memory", lambda: memory)
    found, note = scheduler.affordable(wanted, 512)
    assert found == jobs
    assert note.endswith(why)
    assert bool(note) == bool(why)


def test_a_worker_sees_our_modules_and_not_the_folder_it_runs_in(tmp_path, monkeypatch):
    """A picture folder may hold a `random.py` of its own."""
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cell"
    scheduler.run([{folder: GONE}], 1, print)
    facts = json.loads((folder / "facts.json").read_text("utf-8"))
    assert "there is no file gone.png" in facts["failures"]["start"]
    assert not scheduler.finished(folder)


def test_one_worker_goes_through_a_batch(tmp_path):
    folders = [tmp_path / name for name in ("a", "b", "c")]
    told = []
    scheduler.run([dict.fromkeys(folders, GONE), {}], 1, told.append)
    for folder in folders:
        assert "there is no file gone.png" in json.loads((folder / "facts.json").read_text())["failures"]["start"]
    assert [folder.name for folder in folders if (folder / scheduler.LOG).exists()] == ["a"]
    assert set().union(*told) <= set(folders)


def test_of_a_worker_that_died_the_rest_is_left(tmp_path):
    """It had finished one, died in the next, and not begun the last."""
    orders = {tmp_path / name: GONE for name in ("a", "b", "c")}
    for folder, stage in zip(orders, ("reference", "picture, step 3 of 9", None), strict=True):
        folder.mkdir()
        if stage:
            (folder / "stage").write_text(stage)
    dead = scheduler.CellProcess(SimpleNamespace(returncode=-9), orders, tmp_path / "a" / scheduler.LOG)
    assert dead.folder == tmp_path / "b"
    assert list(dead.left()) == [tmp_path / "c"]
    assert list(json.loads((tmp_path / "b" / "facts.json").read_text())["failures"]) == ["picture, step 3 of 9"]
    assert not (tmp_path / "a" / "facts.json").exists()


@pytest.mark.parametrize(
    ("code", "log", "words"),
    [
        (-signal.SIGKILL, "", "killed (signal 9), as the system does when memory runs out"),
        (-signal.SIGSEGV, "", "died of SIGSEGV"),
        (3, "first\nImportError: no such thing\n", "ended with exit code 3: ImportError: no such thing"),
        (1, "", "ended with exit code 1"),
    ],
)
def test_an_end_is_told_with_the_stage_it_came_in(tmp_path, code, log, words):
    (tmp_path / "stage").write_text("picture, step 3 of 9")
    (tmp_path / "log.txt").write_text(log)
    (tmp_path / "facts.json").write_text('{"finished": false, "failures": {"features": "before"}, "device": "cpu"}')
    scheduler._record(tmp_path, code, tmp_path / scheduler.LOG)
    facts = json.loads((tmp_path / "facts.json").read_text("utf-8"))
    assert facts["failures"]["features"] == "before"
    assert words in facts["failures"]["picture, step 3 of 9"]
    assert facts["device"] == "cpu"


def test_an_end_before_the_first_word_is_told_too(tmp_path):
    scheduler._record(tmp_path, -9, tmp_path / scheduler.LOG)
    assert list(json.loads((tmp_path / "facts.json").read_text("utf-8"))["failures"]) == ["start"]


def test_free_memory_is_less_than_there_is():
    free = scheduler._free_memory()
    if free is None:
        pytest.skip("this system does not tell")
    assert 0 < free < os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
