"""The front door: how words are understood, what becomes of errors, and of the streams nst speaks on."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nst.cli.app import SETTINGS_OPTIONS, spread

SPREAD = [
    ("--init-option a=1", "--init-option a=1"),
    ("--init-option a=1 b=2 c=3", "--init-option a=1 --init-option b=2 --init-option c=3"),
    ("--init-option a=1,b=2 c=3", "--init-option a=1,b=2 --init-option c=3"),
    ("--init-option=a=1 b=2", "--init-option=a=1 --init-option b=2"),
    ("--optimizer-option lr=1 --init-option a=1 b=2", "--optimizer-option lr=1 --init-option a=1 --init-option b=2"),
    ("--optimiser-option lr=1 beta1=2", "--optimiser-option lr=1 --optimiser-option beta1=2"),
    ("--init-option a=1 --size 3 b=2", "--init-option a=1 --size 3 b=2"),
    ("--init-option a=1 photo.png b=2", "--init-option a=1 photo.png b=2"),
    ("--style-layers relu1_1=1 a=1", "--style-layers relu1_1=1 a=1"),
    ("--init-option a=1 -- b=2", "--init-option a=1 -- b=2"),
    ("a=1 b=2", "a=1 b=2"),
    ("--init-option", "--init-option"),
    ("", ""),
]


@pytest.mark.parametrize(("words", "spread_out"), SPREAD, ids=[words or "nothing" for words, _ in SPREAD])
def test_settings_that_follow_one_flag_each_get_their_own(words, spread_out):
    assert spread(words.split()) == spread_out.split()


def test_every_option_that_takes_settings_opens_a_row_of_them():
    from nst.cli.recipe_options import _spellings
    from nst.recipe import fields
    from nst.recipe.recipe import FIELDS

    taking = [field.name for field in FIELDS.values() if field.metadata["read"] is fields.settings]
    recipe = [spelled for name in taking for spelled in _spellings(name)]
    assert sorted(SETTINGS_OPTIONS) == sorted([*recipe, "--executor-option"])


@pytest.mark.parametrize(
    ("words", "message", "advice"),
    [
        ("frobnicate", "No such command 'frobnicate'", "nst --help"),
        ("styliz a b", "Did you mean 'stylize'?", "nst --help"),
        ("weights fech", "No such command 'fech'", "nst weights --help"),
        ("stylize a.png b.png", "Missing option '-o'", "nst stylize --help"),
        ("stylize a.png b.png", "Missing option '-o' / '--output'", "nst stylize --help"),
        ("stylize a.png b.png -o", "Option '-o' requires an argument", "nst COMMAND --help"),
        ("plugins list more", "unexpected extra argument(s) (more)", "nst plugins list --help"),
        ("demo --photo cat", "'cat' is not one of 'astronaut', 'chelsea', 'coffee'", "nst demo --help"),
    ],
)
def test_a_misuse_says_what_and_where_to_read_on(nst, words, message, advice):
    done = nst(*words.split())
    assert (done.code, done.out) == (2, "")
    assert [message in error for error in done.errors] == [True]
    assert [hint.startswith(advice) for hint in done.hints] == [True]


@pytest.mark.parametrize("words", ["stylize", "weights", "plugins"])
def test_a_command_without_a_word_more_shows_its_help_and_no_empty_error(nst, words):
    done = nst(words)
    assert done.code == 2
    assert f"Usage: nst {words}" in done.out
    assert done.err == ""


@pytest.mark.parametrize("flag", ["--help", "-h"])
@pytest.mark.parametrize("words", ["stylize", "demo", "weights", "weights fetch", "plugins show"])
def test_every_command_has_help(nst, words, flag):
    done = nst(*words.split(), flag)
    assert (done.code, done.err) == (0, "")
    assert f"Usage: nst {words}" in done.out


@pytest.fixture
def failing(here, monkeypatch):
    """Makes a run raise an error where nobody expects one."""

    def fail(error):
        def opened(self):
            raise error

        monkeypatch.setattr("nst.job.Job.open", opened)

    return fail


RUN = ["stylize", "content.png", "style.png", "-o", "out.png"]


@pytest.mark.frameworks
def test_an_unexpected_error_is_two_lines_and_with_debug_a_traceback(nst, here, fast, failing):
    failing(ZeroDivisionError("boom"))
    done = nst(*RUN, *fast)
    assert (done.code, done.out) == (1, "")
    assert done.errors == ["ZeroDivisionError: boom"]
    assert "--debug" in done.hints[0]
    assert done.err.count("\n") == 2
    debugged = nst(*RUN, *fast, "--debug")
    assert debugged.code == 1
    assert debugged.err.startswith("Traceback (most recent call last)")
    assert debugged.err.endswith(done.err)


@pytest.mark.frameworks
def test_a_mistake_shows_its_traceback_too_when_asked(nst, here, fast):
    done = nst("--debug", *RUN, *fast, "--size", "0")
    assert done.code == 2
    assert done.err.startswith("Traceback")


@pytest.mark.frameworks
def test_too_little_memory_is_no_defect(nst, here, fast, failing):
    failing(MemoryError())
    done = nst(*RUN, *fast)
    assert (done.code, done.errors, done.hints) == (1, ["not enough memory"], ["choose a smaller --size"])


@pytest.mark.frameworks
def test_an_interrupt_is_exit_code_130(nst, here, fast, failing):
    failing(KeyboardInterrupt())
    done = nst(*RUN, *fast)
    assert (done.code, done.err) == (130, "interrupted; no picture was written\n")


@pytest.mark.parametrize("words", ["", "--help", "--debug", "--no-plugins --help"])
def test_nst_alone_shows_every_command(process, words):
    from nst.cli.commands import COMMANDS

    done = process(*words.split())
    assert (done.code, done.err) == (0, "")
    for name in COMMANDS:
        assert f"\n  {name} " in done.out


def test_the_version(process):
    from nst import __version__

    for words in ("--version", "--version --debug", "version"):
        assert process(*words.split()).out == f"nst {__version__}\n"


def test_help_is_a_command_too(process, nst):
    assert process("help") == process("--help")
    assert nst("help", "weights", "fetch") == nst("weights", "fetch", "--help")


def test_the_overview_says_of_each_command_what_its_own_help_says(nst):
    from nst.cli.commands import COMMANDS

    for words, summary in COMMANDS.items():
        assert summary in " ".join(nst(*words.split(), "--help").out.split())


@pytest.mark.parametrize("columns", ["0", "40"])
def test_help_fits_any_width(process, columns):
    done = process("weights", "--help", COLUMNS=columns)
    assert (done.code, done.err) == (0, "")
    assert "verify" in done.out


TALKING = ["--help", "--version", "plugins list", "stylize --help", "weights path compact"]


@pytest.mark.frameworks
@pytest.mark.parametrize("words", TALKING)
@pytest.mark.skipif(sys.platform == "win32", reason="pipes close differently there")
def test_a_reader_who_leaves_is_no_error(environment, words):
    """As in `nst --help | head -1`."""
    reader, writer = os.pipe()
    os.close(reader)
    command = [sys.executable, "-m", "nst", *words.split()]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, env=environment, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, b"")


@pytest.mark.frameworks
@pytest.mark.parametrize("words", TALKING)
@pytest.mark.skipif(sys.platform == "win32", reason="has no sh")
def test_nobody_listening_is_no_error(environment, words):
    command = ["sh", "-c", 'exec "$@" >&-', "sh", sys.executable, "-m", "nst", *words.split()]
    done = subprocess.run(command, stderr=subprocess.PIPE, env=environment, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="has no /dev/full")
@pytest.mark.parametrize("words", ["plugins list", "--help", "recipe show default", "weights path compact"])
def test_a_full_disk_is_told(environment, words):
    command = [sys.executable, "-m", "nst", *words.split()]
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, env=environment, check=False)
    assert (done.returncode, done.stderr) == (1, "error: cannot print: No space left on device\n")


@pytest.mark.frameworks
@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_a_stream_that_lacks_a_character_shows_it_escaped(process, encoding):
    shown = process("stylize", "--help", PYTHONIOENCODING=encoding)
    assert (shown.code, shown.err) == (0, "")
    assert "W,W,\\u2026" in shown.out
    refused = process("stylize", "a.png", "b.png", "-o", "c.png", "--style-layers", "x", PYTHONIOENCODING=encoding)
    assert refused.code == 2
    assert "conv1_1 \\u2026 pool5" in refused.err


def test_a_file_is_not_taken_for_a_setting(tmp_path, monkeypatch):
    """`photo=1.jpg` is a file here, so it is the content, not an option of the initializer."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "photo=1.jpg").touch()
    words = ["stylize", "--init-option", "ratio=0.6", "photo=1.jpg", "s.jpg"]
    assert spread(words) == words
