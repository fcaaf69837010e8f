"""What the plugin declares, and what importing it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nst.errors import UserError
from nst.plugins import Plugins
from nst.plugins.discovery import EntryPoint
from nst.plugins.options import read_options
from nst.specs import resolve

HEAVY = {"ai_edge_litert", "tensorflow", "kagglehub", "numpy"}


@pytest.fixture(scope="module")
def spec():
    entry = EntryPoint("nst.v1", "nst-tfhub", "nst_tfhub", "nst-tfhub", "0.1.0")
    return Plugins([entry], strict=True).find("backend", "tfhub-fast")


def loaded_by(statement):
    code = f"import sys; {statement}; print(*sorted({{name.partition('.')[0] for name in sys.modules}}))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(run.stdout.split())


def test_sources_and_the_factory_import_no_framework():
    assert not loaded_by("import nst_tfhub.sources, nst_tfhub.fast_transfer") & (HEAVY - {"numpy"})


def test_what_the_spec_names_is_there(spec):
    assert spec.kind == "image"
    assert spec.load().__name__ == "FastTransfer"
    for weights in spec.weights:
        assert resolve(weights.source).name == weights.name
        assert weights.license == "Apache-2.0"


def test_a_path_becomes_a_source(spec):
    assert resolve(spec.files)("some/folder").path() == Path("some/folder")


@pytest.mark.parametrize(("name", "value"), [("strength", 1.5), ("strength", -0.1), ("tile", 4000), ("style_size", 8)])
def test_options_have_ranges(spec, name, value):
    with pytest.raises(UserError, match=name):
        read_options(spec, {name: value})
