"""Test how many workers run, in which environment, and how failures of workers are recorded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nst.compare import scheduler
from nst.orders import Failed, Order

RECIPE = {"backend": "example-backend"}


def missing(folder: Path) -> Order:
    """Return the order of a cell whose content does not exist."""
    return Order("gone.png", ["gone.png"], str(folder), RECIPE, kind="cell")


def facts(folder: Path):
    return json.loads((folder / "facts.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("wanted", "memory", "jobs", "why"),
    [
        (1, 64e9, 1, ""),
        (3, 64e9, 3, ""),
        (8, 64e9, 4, "for 4 cores"),
        (4, 4e9, 2, "for 4.0 GB of free memory"),
        (2, 1e8, 1, "for 0.1 GB of free memory"),
        (2, None, 2, ""),
        (0, 64e9, 0, ""),
    ],
)
def test_jobs_are_what_cores_and_memory_allow(monkeypatch, wanted, memory, jobs, why):
    monkeypatch.setattr(scheduler.subprocesses, "cores", lambda: 4)
    monkeypatch.setattr(scheduler, "available_memory", lambda: memory)
    count, note = scheduler.affordable(wanted, 512)
    assert count == jobs
    assert note.endswith(why)
    assert bool(note) == bool(why)


def test_the_limit_of_a_control_group_counts(monkeypatch, tmp_path):
    """A container may have less memory than the machine."""
    from nst.estimate import memory

    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "cgroup")
    monkeypatch.setattr(scheduler.subprocesses, "cores", lambda: 64)
    for path, text in {
        "proc/meminfo": "MemAvailable: 64000000 kB\n",
        "proc/self/cgroup": "0::/\n",
        "cgroup/memory.max": "4000000000\n",
        "cgroup/memory.current": "0\n",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    assert scheduler.affordable(8, 512) == (2, "--jobs 8: running 2 at a time, for 4.0 GB of free memory")


def test_a_worker_sees_our_modules_and_not_the_folder_it_runs_in(tmp_path, monkeypatch):
    """A picture folder may hold a `random.py` of its own."""
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    monkeypatch.chdir(tmp_path)
    folder = tmp_path / "cell"
    scheduler.run([missing(folder)], 1, print)
    assert "there is no file gone.png" in facts(folder)["failures"]["start"]
    assert not scheduler.is_finished(folder)


def test_one_worker_runs_several_cells(tmp_path):
    folders = [tmp_path / name for name in ("a", "b", "c")]
    stages = []
    scheduler.run([missing(folder) for folder in folders], 1, lambda current: stages.append(dict(current)))
    assert all("there is no file gone.png" in facts(folder)["failures"]["start"] for folder in folders)
    assert stages == [stage for folder in folders for stage in ({folder: "start"}, {})]


def test_no_cell_starts_after_a_stop(tmp_path):
    folders = [tmp_path / name for name in ("a", "b")]
    stages = []
    scheduler.run([missing(folder) for folder in folders], 1, stages.append, lambda: bool(stages))
    assert not (folders[1] / "facts.json").exists()


def test_cells_of_one_network_follow_one_another():
    recipes = [{"pooling": "max"}, {"pooling": "average"}, {"pooling": "max", "seed": 1}]
    orders = scheduler._by_network([Order(recipe=recipe) for recipe in recipes])
    assert [order.recipe for order in orders] == [recipes[0], recipes[2], recipes[1]]


def test_a_death_is_recorded_with_its_stage(tmp_path):
    (tmp_path / "facts.json").write_text('{"finished": false, "failures": {"features": "before"}, "device": "cpu"}')
    scheduler._record(tmp_path, "picture, step 3 of 9", Failed("the worker died of SIGSEGV", "in conv2d"))
    log = tmp_path / scheduler.LOG
    assert facts(tmp_path)["failures"] == {
        "features": "before",
        "picture, step 3 of 9": f"the worker died of SIGSEGV; see {log}",
    }
    assert log.read_text() == "in conv2d"
    assert facts(tmp_path)["device"] == "cpu"


def test_a_death_without_output_has_no_log(tmp_path):
    scheduler._record(tmp_path, "start", Failed("the worker was killed"))
    assert facts(tmp_path)["failures"] == {"start": "the worker was killed"}
    assert not (tmp_path / scheduler.LOG).exists()
