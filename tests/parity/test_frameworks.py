"""All frameworks compute the same on the same network: what `nst compare` finds, with all really installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import pytest

from nst.images import save_image

pytestmark = [pytest.mark.frameworks, pytest.mark.slow]

CHECKS = {"features", "terms", "gradient", "peak", "adam"}
FRAMEWORKS = {"keras-vgg19": ("tensorflow", "nst_keras"), "jax-vgg19": ("jax", "nst_jax")}


@pytest.fixture(params=FRAMEWORKS)
def backend(request):
    """A backend to hold against PyTorch's."""
    if not all(find_spec(module) for module in FRAMEWORKS[request.param]):
        pytest.skip(f"{request.param} is not installed")
    return request.param


def compare(backend, folder, weights, *words):
    """Hold a backend against PyTorch's with one neutral network, on a picture of 333×250."""
    pair = [str(folder / name) for name in ("content.png", "style.png")]
    backends = ["--backends", f"torch-vgg19,{backend}", "--weights", str(weights), *words]
    command = [sys.executable, "-m", "nst", "compare", *pair, *backends, "--steps", "4", "-o", str(folder / "report")]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    rows = json.loads((folder / "report" / "report.json").read_text("utf-8"))["rows"]
    between = [row for row in rows if (row["name"], row["against"]) == (backend, "torch-vgg19")]
    assert {row["check"] for row in between} == CHECKS
    assert {row["parity"] for row in between} == {"pass"}
    assert max(row["error"] for row in between if row["check"] in ("features", "terms")) < 1e-5


@pytest.fixture
def pictures(tmp_path, photo):
    save_image(tmp_path / "content.png", photo(250, 333))
    save_image(tmp_path / "style.png", photo(240, 240, seed=1))
    return tmp_path


@pytest.mark.parametrize("size", ["256", "333"])
def test_the_compact_network_is_the_same_in_both(backend, pictures, size):
    compare(backend, pictures, "compact", "--size", size)


@pytest.mark.weights
def test_the_full_network_is_the_same_in_both(backend, pictures, data):
    compare(backend, pictures, data / "vgg19-imagenet.safetensors", "--size", "333")
