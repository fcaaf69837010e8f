"""`nst ui` before anything is served: its mistakes, and what is missing."""

from __future__ import annotations

import socket
import subprocess
import sys

import pytest

WITHOUT = """
import sys
sys.modules["gradio"] = None
sys.argv = ["nst", "ui", "--port", "0"]
from nst.cli import main
main()
"""


def ui(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "nst", "ui", *words], capture_output=True, text=True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--host", "0.0.0.0"], "--auth USER:PASSWORD"),
        (["--host", "0.0.0.0", "--auth", "ada"], "--auth is not USER:PASSWORD"),
        (["--port", "70000"], "--port must be 0 to 65535"),
    ],
)
def test_a_page_that_should_not_be_served_is_not(words, says):
    done = ui(*words)
    assert done.returncode == 2
    assert says in done.stderr


def test_without_gradio_the_command_says_what_to_install():
    done = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert done.returncode == 1
    assert "hint: pip install 'nst[ui]'" in done.stderr


def test_a_port_that_is_taken_is_told_at_once():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = ui("--port", port)
    assert done.returncode == 1
    assert f"error: cannot listen at 127.0.0.1:{port}: Address already in use" in done.stderr
    assert "hint: give another --port" in done.stderr
