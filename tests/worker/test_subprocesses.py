"""Our own processes: in which surroundings they run, and what is said of their ends."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from nst.worker import subprocesses


def test_several_jobs_share_the_cores_unless_told(monkeypatch):
    monkeypatch.setattr(subprocesses, "cores", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert "OMP_NUM_THREADS" not in subprocesses.environment(1)
    assert subprocesses.environment(2)["OMP_NUM_THREADS"] == "4"
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert subprocesses.environment(2)["OMP_NUM_THREADS"] == "3"


def test_a_process_finds_our_modules_and_not_those_of_the_folder_it_runs_in(tmp_path, monkeypatch):
    """A picture folder may hold a `random.py` of its own."""
    (tmp_path / "random.py").write_text("raise SystemExit('the wrong random')")
    (tmp_path / "ours").mkdir()
    (tmp_path / "ours" / "tells.py").write_text("import random, sys; print(random.random() < 1, sys.argv[1:])")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path / "ours")
    running = subprocesses.start("tells", "a", log=subprocess.PIPE, stdout=subprocess.PIPE)
    assert running.communicate() == (b"True ['a']\n", b"")


@pytest.mark.parametrize(
    ("code", "said", "words"),
    [
        (-signal.SIGKILL, "", "was killed (signal 9), as the system does when memory runs out"),
        (-signal.SIGSEGV, "Fatal", "died of SIGSEGV"),
        (3, "first\nImportError: no such thing\n", "ended with exit code 3: ImportError: no such thing"),
        (1, "", "ended with exit code 1"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="has no signals")
def test_an_end_is_told_in_words(code, said, words):
    assert subprocesses.ended(code, said) == words
