"""How a run is shown: a bar and the time left on one line, and plain lines where there is no terminal."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
from types import SimpleNamespace

import pytest

from nst.cli.progress import Watcher, format_losses, format_time_left, say
from nst.engine.level_run import Progress

PAIR = ["content.png", "style.png", "-o", "out.png"]
TERMS = {"gram relu1_1": 1.25, "gram relu2_1": 0.75, "content relu4_2": 0.5}


def test_losses_are_summed_over_layers():
    assert format_losses(2.5, TERMS) == "loss 2.5 (gram 2, content 0.5)"


def test_losses_have_three_digits_that_matter():
    assert format_losses(1234.5678, {"gram relu1_1": 0.000123456}) == "loss 1.23e+03 (gram 0.000123)"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (9.2, "0:00:09 left"),
        (359_999, "99:59:59 left"),
        (360_000, "4 days left"),
        (5_000_000_000.4, "57,870 days left"),
    ],
)
def test_hours_of_three_digits_are_days(seconds, words):
    assert format_time_left(seconds) == words


@pytest.fixture
def shown(capsys):
    """`shown(*steps, quiet=False, verbose=False)`: two steps at 32 px and one at 48, as shown."""

    def watch(*notes, quiet=False, verbose=False, late=()):
        job = SimpleNamespace(sizes=(32, 48), steps=(2, 1))
        with Watcher(job, quiet=quiet, verbose=verbose) as watcher:
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
    assert shown("", "", "") == ["32 px: step 2 of 3, 0.12 s/step", "48 px: step 3 of 3, 0.12 s/step"]


def test_verbose_adds_the_losses(shown):
    assert shown("", "", "", verbose=True) == [
        "32 px: step 2 of 3, 0.12 s/step, loss 2.5 (gram 2, content 0.5)",
        "48 px: step 3 of 3, 0.12 s/step, loss 2.5 (gram 2, content 0.5)",
    ]


def test_a_note_is_told_at_its_step_whole_and_as_it_is(shown):
    note = "[bold] " + "a long note " * 20
    assert shown(note, "") == [note, "32 px: step 2 of 3, 0.12 s/step"]


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
    assert capsys.readouterr().err == "48 px: step 3 of 3, 0.12 s/step\n"


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


def lines(shown):
    """The lines that a terminal was sent, also those that others replaced."""
    return re.split(r"[\r\n]+", re.sub(r"\x1b\[[?\d;]*[A-Za-z]", "", shown).strip())


def bars(shown):
    return [line for line in lines(shown) if "━" in line]


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.parametrize("columns", [160, 80, 40])
@pytest.mark.frameworks
def test_a_terminal_shows_steps_a_bar_and_the_time_left_on_one_line(here, environment, fast, columns):
    shown = on_terminal(["stylize", *PAIR, *fast], environment, columns)
    assert re.fullmatch(r"48 px ━+ 3/3 0:00:00 left *", bars(shown)[-1])
    assert max(map(len, bars(shown))) <= columns
    assert "loss" not in shown


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.parametrize("columns", [160, 80])
@pytest.mark.frameworks
def test_verbose_adds_losses_to_the_line_as_far_as_they_fit(here, environment, fast, columns):
    shown = on_terminal(["stylize", *PAIR, *fast, "--verbose"], environment, columns)
    assert re.search(r"48 px ━+ 3/3 0:00:00 left \d\.\d\d s/step, loss \d", bars(shown)[-1])
    assert max(map(len, bars(shown))) <= columns


@pytest.mark.parametrize("steps", [9, 1000, 100_000])
def test_the_line_of_a_long_run_fits_40_columns_too(monkeypatch, capsys, steps):
    for name, value in {"FORCE_COLOR": "1", "NO_COLOR": "1", "TERM": "xterm", "COLUMNS": "40"}.items():
        monkeypatch.setenv(name, value)
    with Watcher(SimpleNamespace(sizes=(10_000,), steps=(steps,))) as watcher:
        watcher.show(Progress(1, steps, 10_000, 2.5, TERMS, 3600, lambda: None, lambda: None))
    last = lines(capsys.readouterr().err)[-1]
    assert len(last) <= 40
    assert f"1/{steps}" in last
    assert last.rstrip().endswith("left")


@pytest.mark.skipif(sys.platform == "win32", reason="has no pty")
@pytest.mark.frameworks
def test_a_terminal_too_narrow_for_a_bar_gets_plain_lines(here, environment, fast):
    assert "48 px: step 3 of 3, " in on_terminal(["stylize", *PAIR, *fast], environment, 30)


@pytest.mark.frameworks
def test_a_terminal_that_cannot_move_its_cursor_gets_plain_lines(process, here, fast):
    done = process("stylize", *PAIR, *fast, TERM="dumb", FORCE_COLOR="1")
    assert "48 px: step 3 of 3, " in done.err
    assert "\x1b" not in done.err
