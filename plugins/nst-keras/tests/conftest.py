"""These tests import TensorFlow, which may crash beside PyTorch: they run in a process without it, or not at all."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from nst.plugins import Plugins
from nst.plugins.discovery import EntryPoint

PLUGIN = Path(__file__).resolve().parents[1]
ABSENT = "TensorFlow or nst-keras is not installed: pip install -e plugins/nst-keras"
SHARED = "TensorFlow may crash beside PyTorch: run pytest plugins/nst-keras by itself"


class Skipped(pytest.Module):
    """A test module that is skipped without being imported."""

    def collect(self):
        pytest.skip(ABSENT if absent() else SHARED, allow_module_level=True)


def pytest_pycollect_makemodule(module_path, parent):
    skipped = absent() or shared(parent.config)
    return Skipped.from_parent(parent, path=module_path) if skipped else None


def absent():
    return not (find_spec("tensorflow") and find_spec("nst_keras"))


def shared(config):
    """Whether this session has imported PyTorch, or tests that come later may."""
    places = [config.invocation_params.dir / argument.partition("::")[0] for argument in config.args]
    alone = all(place.resolve().is_relative_to(PLUGIN) for place in places)
    return "torch" in sys.modules or bool(find_spec("torch") and not alone)


@pytest.fixture(scope="session")
def plugins():
    """What a run on this backend needs, and nothing that happens to be installed."""
    modules = {name: name.replace("-", "_") for name in ("nst-keras", "nst-optimizers", "nst-initializers")}
    found = {"nst": "nst.losses", **modules}
    return Plugins([EntryPoint("nst.v1", name, module, name, "0.1.0") for name, module in found.items()], strict=True)


@pytest.fixture(scope="session")
def python():
    """Runs code in a fresh interpreter: `python(code, KERAS_BACKEND="torch")`; an empty variable is unset."""

    def run(code, **variables):
        environment = {key: value for key, value in (os.environ | variables).items() if value}
        return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True)

    return run
