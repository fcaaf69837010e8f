"""`nst plugins check`: what it prints, and how it exits."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from nst.plugins.discovery import EntryPoint

MINE = """
from nst import OptimizerSpec, Option, hookimpl

@hookimpl
def nst_optimizers():
    lr = Option("lr", 0.1, "")
    yield OptimizerSpec("My Own", "{module}:run", "a way down that has a rather long name to tell of", (lr,))

def run(objective, image, *, state=None, step_scale=1.0, lr=0.1): pass
"""


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """Installs a plugin with two faults and a doubt, beside none other."""
    (tmp_path / "my_own_plugin.py").write_text(MINE.format(module="my_own_plugin"))
    info = tmp_path / "nst_mine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Name: nst-mine\nVersion: 1.0\nLicense: MIT\nRequires-Dist: nst\n\nReadme.\n")
    monkeypatch.syspath_prepend(tmp_path)
    entry = EntryPoint("nst.v1", "mine", "my_own_plugin", "nst-mine", "1.0")
    monkeypatch.setattr("nst.plugins.host.discover", lambda: [entry])
    yield
    sys.modules.pop("my_own_plugin", None)


def test_a_plugin_that_keeps_its_promises_exits_0(nst):
    done = nst("plugins", "check", "nst-initializers")
    assert (done.code, done.err) == (0, "")
    title, *rows = done.out.splitlines()
    assert title == "nst-initializers 0.1.0 (nst_initializers)"
    assert {row.split()[0] for row in rows if not row.startswith(" ")} <= {"ok", "warned"}


def test_one_that_does_not_exits_1_and_says_what_to_do(nst, mine):
    done = nst("plugins", "check", "nst-mine")
    assert (done.code, done.err) == (1, "")
    text = " ".join(done.out.split())
    for told in (
        "failed names optimizer 'My Own' is not of lowercase words with dashes hint: name it like total-variation",
        "failed options optimizer My Own: option 'lr' has no help hint: say in Option(help=…) what it is for",
        "warned versions it requires nst of any version hint: say which: nst>=0.1",
        "ok factories Its factories can be imported, and take what they are called with, their options among it.",
    ):
        assert told in text


@pytest.mark.parametrize("name", ["nst-mine", "NST_Mine"])
def test_a_table_of_80_columns(nst, mine, name):
    lines = nst("plugins", "check", name).out.splitlines()
    assert max(map(len, lines)) <= 80
    assert {line.index(line.split()[1]) for line in lines[1:] if not line.startswith(" ")} == {8}


def test_as_json(nst, mine):
    done = nst("plugins", "check", "nst-mine", "--json")
    assert done.code == 1
    found = {row["name"]: row for row in json.loads(done.out)}
    assert found["names"]["status"] == "failed"
    assert found["options"] == {
        "status": "failed",
        "message": "optimizer My Own: option 'lr' has no help",
        "hint": "say in Option(help=…) what it is for",
        "name": "options",
    }


def test_a_disabled_plugin_is_checked_too(nst, monkeypatch):
    monkeypatch.setenv("NST_DISABLE_PLUGINS", "nst-initializers")
    assert nst("plugins", "check", "nst-initializers").code == 0


def test_an_unknown_distribution_exits_2_with_a_near_miss(nst):
    done = nst("plugins", "check", "nst-optimisers")
    assert (done.code, done.out) == (2, "")
    assert done.errors == ["unknown distribution 'nst-optimisers'"]
    assert done.hints[0].startswith("did you mean nst-optimizers")


CHECK = """
import sys
from nst.cli.app import run
code = run(["plugins", "check", "nst"])
print(sorted({"numpy", "pytest", "PIL", "torch"} & set(sys.modules)), code)
"""


def test_it_imports_neither_numpy_nor_pytest_nor_a_framework(environment):
    done = subprocess.run([sys.executable, "-c", CHECK], env=environment, capture_output=True, text=True)
    assert done.stdout.splitlines()[-1] == "[] 0", done.stderr
