"""Chatter from C++ is dropped, all else comes through."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from nst_tfhub.quiet import quiet


def test_chatter_is_dropped_and_the_rest_passed_on(capfd):
    with quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nsomething else\n")
        os.write(2, b"E0000 00:00:1795176121.9 26005 cuda_platform.cc:52] failed call to cuInit\n")
    assert capfd.readouterr().err == "something else\n"


def test_what_was_said_before_an_error_comes_through(capfd):
    def fail():
        with quiet():
            os.write(2, b"a reason\n")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "a reason\nafter\n"


def test_it_nests(capfd):
    with quiet(), quiet():
        os.write(2, b"inside\n")
    assert capfd.readouterr().err == "inside\n"


def test_a_process_without_stderr_runs():
    code = "import os; os.close(2)\nfrom nst_tfhub.quiet import quiet\nwith quiet(): print('ran')"
    run = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True)
    assert run.stdout == "ran\n"
