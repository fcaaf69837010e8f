"""PyTorch and TensorFlow compute the same on the same network: what `nst compare` finds, with both really installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from nst.images import save_image

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.slow,
    pytest.mark.skipif(not (find_spec("tensorflow") and find_spec("nst_keras")), reason="nst-keras is not installed"),
]

CHECKS = {"features", "terms", "gradient", "adam"}


def compare(folder, weights, *words):
    """Hold both frameworks against each other with one neutral network, on a picture of 333×250."""
    pair = [str(folder / name) for name in ("content.png", "style.png")]
    backends = ["--backends", "torch-vgg19,keras-vgg19", "--weights", str(weights), *words]
    command = [sys.executable, "-m", "nst", "compare", *pair, *backends, "--steps", "4", "-o", str(folder / "report")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((folder / "report" / "report.json").read_text("utf-8"))["rows"]
    between = [row for row in rows if (row["name"], row["against"]) == ("keras-vgg19", "torch-vgg19")]
    assert {row["check"] for row in between} == CHECKS
    assert {row["parity"] for row in between} == {"pass"}


@pytest.fixture
def pictures(tmp_path, photo):
    save_image(tmp_path / "content.png", photo(250, 333))
    save_image(tmp_path / "style.png", photo(240, 240, seed=1))
    return tmp_path


@pytest.mark.parametrize("size", ["256", "333"])
def test_the_compact_network_is_the_same_in_both(pictures, size):
    compare(pictures, "compact", "--size", size)


@pytest.mark.weights
def test_the_full_network_is_the_same_in_both(pictures, data):
    compare(pictures, data / "vgg19-imagenet.safetensors", "--size", "333")
