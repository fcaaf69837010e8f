"""How a run is told: its losses in a line, the time left, and lines where there is no terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nst.cli.progress import Watcher, describe, say, time_left
from nst.engine.level_run import Progress

PAIR = ["content.png", "style.png", "-o", "out.png"]
TERMS = {"gram relu1_1": 1.25, "gram relu2_1": 0.75, "content relu4_2": 0.5}


def test_losses_are_summed_over_layers():
    assert describe(2.5, TERMS) == "loss 2.5 (gram 2, content 0.5)"


def test_losses_have_three_digits_that_matter():
    assert describe(1234.5678, {"gram relu1_1": 0.000123456}) == "loss 1.23e+03 (gram 0.000123)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (9.2, "0:00:09 left"),
        (5_000_000_000.4, "57870 days, 8:53:20 left"),
        (1e18, "11574074 days, 1:46:40 left"),
    ],
)
def test_even_the_end_of_time_can_be_told(seconds, words):
    assert time_left(seconds) == words


@pytest.fixture
def shown(capsys):
    """`shown(*steps, quiet=False)`: what a watcher says of two steps at 32 px and one at 48, or of those given."""

    def watch(*notes, quiet=False, late=()):
        with Watcher(SimpleNamespace(sizes=(32, 48), steps=(2, 1)), quiet=quiet) as watcher:
            for step, note in enumerate(notes, start=1):
                size = 32 if step < 3 else 48
                notes = tuple(filter(None, [note] if isinstance(note, str) else note))
                watcher.show(Progress(step, 3, size, 2.5, TERMS, 0.125, lambda: None, lambda: None, notes))
        watcher.tell(late)
        out, err = capsys.readouterr()
        assert out == ""
        return err.splitlines()

    return watch


def test_without_a_terminal_each_size_is_a_line(shown):
    assert shown("", "", "") == [
        "32 px: step 2 of 3, loss 2.5 (gram 2, content 0.5)  0.12 s/step",
        "48 px: step 3 of 3, loss 2.5 (gram 2, content 0.5)  0.12 s/step",
    ]


def test_a_note_is_told_at_its_step_whole_and_as_it_is(shown):
    note = "[bold] " + "a long note " * 20
    assert shown(note, "") == [note, "32 px: step 2 of 3, loss 2.5 (gram 2, content 0.5)  0.12 s/step"]


def test_a_note_above_a_bar_is_whole_too(shown, monkeypatch):
    for name, value in {"FORCE_COLOR": "1", "TERM": "xterm", "COLUMNS": "80"}.items():
        monkeypatch.setenv(name, value)
    note = "[bold] " + "a long note " * 20
    assert note in "\n".join(shown(note))


def test_what_no_step_brought_is_told_at_the_end_and_nothing_twice(shown):
    assert shown(("a; b", "c"), late=["a; b", "c", "b"]) == ["a; b", "c", "b"]


def test_a_note_that_is_part_of_another_is_still_shown(shown):
    assert shown("tiles of 128 px", late=["tiles of 12", "px"]) == ["tiles of 128 px", "tiles of 12", "px"]


def test_a_size_that_ends_early_is_passed_over(capsys):
    """Of ten steps at 32 px two were taken: the third of three is the last at 48 px."""
    with Watcher(SimpleNamespace(sizes=(32, 48), steps=(10, 1))) as watcher:
        for step, size, steps in ((1, 32, 11), (2, 32, 11), (3, 48, 3)):
            watcher.show(Progress(step, steps, size, 2.5, TERMS, 0.125, lambda: None, lambda: None))
    assert capsys.readouterr().err == "48 px: step 3 of 3, loss 2.5 (gram 2, content 0.5)  0.12 s/step\n"


def test_quiet_says_nothing(shown):
    assert shown("note", "", "", quiet=True, late=["more"]) == []


def test_a_terminal_that_has_gone_is_no_error(monkeypatch):
    class Gone:
        def write(self, text):
            raise BrokenPipeError

    monkeypatch.setattr(sys, "stderr", Gone())
    say("hello")


def on_terminal(words, environment, columns):
    """What nst shows on a terminal so wide, without colors."""
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "nst", *words]
    changes = {"COLUMNS": str(columns), "LINES": "30", "NO_COLOR": "1"}
    with subprocess.Popen(
        command, stdin=follower, stdout=follower, stderr=follower, env=environment | changes
    ) as running:
        os.close(follower)
        shown = b""
        try:
            while select.select([leader], [], [], 60)[0] and (part := os.read(leader, 65536)):
                shown += part
        except OSError:  # Linux says so at the end
            pass
    os.close(leader)
    assert running.returncode == 0, shown
    return shown.decode()


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.parametrize("columns", [160, 80])
@pytest.mark.frameworks
def test_a_terminal_shows_steps_losses_pace_and_time_left(here, environment, fast, columns):
    shown = on_terminal(["stylize", *PAIR, *fast], environment, columns)
    assert ("━" in shown) == (columns == 160)
    words = " ".join(shown.split())  # losses may take a second line
    for part in (
        "48 px",
        "3/3",
        "0:00:00 left",
        r"loss \d",
        r"gram \d",
        r"content \d",
        r"range \d",
        r"\d\.\d\d s/step",
    ):
        assert re.search(part, words), part
    assert "…" not in words


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.frameworks
def test_a_terminal_too_narrow_for_a_bar_gets_plain_lines(here, environment, fast):
    assert "48 px: step 3 of 3, loss" in on_terminal(["stylize", *PAIR, *fast], environment, 30)


@pytest.mark.frameworks
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(process, here, fast):
    done = process("stylize", *PAIR, *fast, TERM="dumb", FORCE_COLOR="1")
    assert "48 px: step 3 of 3, loss" in done.err
    assert "\x1b" not in done.err
