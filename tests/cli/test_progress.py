"""How a run is told: its losses in a line, the time left, and lines where there is no terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nst.cli.progress import Clock, Watcher, describe, say
from nst.engine import Progress

PAIR = ["content.png", "style.png", "-o", "out.png"]
TERMS = {"gram relu1_1": 1.25, "gram relu2_1": 0.75, "content relu4_2": 0.5}


def test_losses_are_summed_over_layers():
    assert describe(2.5, TERMS) == "loss 2.5 (gram 2, content 0.5)"


def test_losses_have_three_digits_that_matter():
    assert describe(1234.5678, {"gram relu1_1": 0.000123456}) == "loss 1.23e+03 (gram 0.000123)"


def test_time_left_counts_a_step_as_its_pixels():
    """Of 2 steps at 100 px and 2 at 200 px, the first is a tenth of the work and took a second."""
    clock = Clock([100, 200], [2, 2])
    assert clock.left(1, 1.0) == "0:00:09 left"
    assert clock.left(2, 1.0) == "0:00:08 left"
    assert clock.left(3, 4.0) == "0:00:04 left"
    assert clock.left(4, 4.0) == "0:00:00 left"


def test_time_left_forgives_one_hitch():
    clock = Clock([100], [100])
    for step in range(1, 10):
        clock.left(step, 2.0)
    assert clock.left(10, 500.0) == "0:03:00 left"


def test_time_left_follows_a_machine_that_has_become_slower():
    clock = Clock([100], [100])
    told = [clock.left(step, 1.0 if step <= 20 else 2.0) for step in range(1, 41)]
    assert told[19] == "0:01:20 left"
    assert told[39] == "0:02:00 left"


def test_any_number_of_steps_is_counted_without_listing_them():
    clock = Clock([100, 200], [10**18, 10**18])
    assert clock.left(1, 1e-9) == "57870 days, 8:53:20 left"


def test_even_the_end_of_time_can_be_told():
    assert Clock([100], [10**18]).left(1, 1.0) == "11574074 days, 1:46:40 left"


def test_sizes_end_after_their_steps():
    assert Clock([100, 200, 300], [3, 2, 1]).ends == {3, 5, 6}


@pytest.fixture
def shown(capsys):
    """`shown(*steps, quiet=False)`: what a watcher says of two steps at 32 px and one at 48, or of those given."""

    def watch(*notes, quiet=False, late=()):
        with Watcher(SimpleNamespace(sizes=(32, 48), steps=(2, 1)), quiet=quiet) as watcher:
            for step, note in enumerate(notes, start=1):
                size = 32 if step < 3 else 48
                watcher.show(Progress(step, 3, size, 2.5, TERMS, 0.125, lambda: None, lambda: None, note))
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
    assert shown("first; second", late=["first", "second", "third"]) == ["first; second", "third"]


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
