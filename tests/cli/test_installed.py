"""What plugins do to the streams and the folder while they load is undone before the command speaks."""

from __future__ import annotations

import json
import os

import pytest

RUDE = {
    "prints": "print('garbage')",
    "writes": "import os; os.write(1, b'garbage\\n')",
    "closes stdout": "import sys; sys.stdout.close()",
    "closes its descriptor": "import os; os.close(1)",
    "closes stderr": "import sys; sys.stderr.close()",
    "replaces both": "import io, sys; sys.stdout = sys.stderr = io.StringIO()",
    "leaves": "import os; os.chdir('/')",
}


@pytest.fixture
def rude(here, tmp_path_factory):
    """The environment in which a plugin that does as told is installed: `rude("body")`."""

    def installed(body):
        folder = tmp_path_factory.mktemp("rude")
        (folder / "rude.py").write_text(f"{body}\nfrom nst.losses import nst_losses\n")
        (folder / "nst_rude-1.0.dist-info").mkdir()
        (folder / "nst_rude-1.0.dist-info" / "entry_points.txt").write_text("[nst.v1]\nrude = rude\n")
        (folder / "nst_rude-1.0.dist-info" / "METADATA").write_text("Name: nst-rude\nVersion: 1.0\n")
        return {"PYTHONPATH": os.pathsep.join([str(folder), os.environ.get("PYTHONPATH", "")])}

    return installed


@pytest.mark.parametrize("body", RUDE.values(), ids=RUDE)
def test_the_list_stays_data_whatever_a_plugin_does_to_the_streams(process, rude, body):
    done = process("plugins", "list", "--json", **rude(body))
    assert done.code == 0
    statuses = {row["distribution"]: row["status"] for row in json.loads(done.out)}
    assert statuses["nst-rude"] == "ok"


@pytest.mark.parametrize("body", RUDE.values(), ids=RUDE)
def test_so_does_what_is_found_of_the_plugin_itself(process, rude, body):
    done = process("plugins", "check", "nst-rude", "--json", **rude(body))
    assert {finding["status"] for finding in json.loads(done.out) if finding["name"] == "loading"} == {"ok"}


@pytest.mark.parametrize("body", RUDE.values(), ids=RUDE)
def test_errors_are_told_whatever_a_plugin_does_to_the_streams(process, rude, body):
    done = process("plugins", "show", "gramm", **rude(body))
    assert (done.code, done.out) == (2, "")
    assert done.errors == ["unknown plugin or name 'gramm'"]


def test_what_a_plugin_prints_goes_to_stderr(process, rude):
    done = process("plugins", "list", **rude("print('garbage')"))
    assert "garbage" in done.err
    assert "garbage" not in done.out


def test_files_are_found_though_a_plugin_went_elsewhere(process, rude, here):
    done = process("weights", "verify", "no-such.safetensors", **rude("import os; os.chdir('/')"))
    assert done.errors == ["no file 'no-such.safetensors'"]
    (here / "weights").mkdir()
    assert process("weights", "verify", "content.png", **rude("import os; os.chdir('/')")).errors != done.errors


@pytest.mark.parametrize("words", [("plugins", "list"), ("weights", "list")], ids=" ".join)
def test_ctrl_c_while_a_plugin_loads_ends_the_command(process, rude, words):
    done = process(*words, **rude("import signal; signal.raise_signal(signal.SIGINT)"))
    assert (done.code, done.out) == (130, "")
    assert done.err.endswith("interrupted\n")


def test_a_plugin_may_set_signal_handlers(process, rude):
    done = process("plugins", "list", "--json", **rude("import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)"))
    assert {row["distribution"]: row["status"] for row in json.loads(done.out)}["nst-rude"] == "ok"
