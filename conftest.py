"""What tests share: a small network, our own plugins by name (never what happens to be installed), and real data."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from nst.plugins.discovery import EntryPoint
from nst.plugins.host import Plugins
from nst.protocols import Pixels
from nst.testing.networks import random_network
from nst.vgg.network import Network

# The same examples everywhere and every time: what fails is a change. `NST_FUZZ=1 pytest` draws new ones.
LENIENT = (HealthCheck.too_slow, HealthCheck.function_scoped_fixture)  # a loaded machine is no failure, nor is a folder
settings.register_profile("nst", deadline=None, suppress_health_check=LENIENT, derandomize=True)
settings.register_profile("nst-fuzz", settings.get_profile("nst"), derandomize=False, print_blob=True)
settings.load_profile("nst-fuzz" if os.environ.get("NST_FUZZ") else "nst")

# A background job starts with Ctrl-C ignored, and hands that on to all it starts: those are to hear it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

OWN = {
    "nst": "nst.builtin_plugins",
    "nst-torch": "nst_torch",
    "nst-optimizers": "nst_optimizers",
    "nst-initializers": "nst_initializers",
}


def entry(distribution: str, module: str, group: str = "nst.v1") -> EntryPoint:
    return EntryPoint(group, distribution, module, distribution, "0.1.0")


@pytest.fixture(scope="session")
def plugins() -> Plugins:
    """Our own plugins, whatever else is installed."""
    return Plugins([entry(name, module) for name, module in OWN.items()], strict=True)


@pytest.fixture(scope="session")
def make_network() -> Callable[..., Network]:
    """Return a maker of small random VGGs: `make_network("vgg19", preprocessing="caffe", seed=1)`."""
    return random_network


@pytest.fixture(scope="session")
def photo() -> Callable[..., Pixels]:
    """Smooth colored pictures of any size: `photo(48, 64, seed=2)`."""

    def make(height: int = 48, width: int = 64, seed: int = 0) -> Pixels:
        rng = np.random.default_rng(seed)
        y, x = np.mgrid[0:height, 0:width] / max(height, width)
        waves = rng.uniform(2, 9, (3, 2)), rng.uniform(0, 6, 3)
        planes = [0.5 + 0.4 * np.sin(fx * x * 6 + fy * y * 6 + phase) for (fx, fy), phase in zip(*waves, strict=True)]
        return np.ascontiguousarray(np.stack(planes, axis=-1), dtype=np.float32)

    return make


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real weights, photographs and paintings; skip the test if there is none."""
    folder = Path(os.environ.get("NST_TEST_DATA", Path(__file__).parents[1] / "shared" / "data"))
    if not (folder / "vgg19-imagenet.safetensors").is_file():
        pytest.skip(f"no real weights in {folder} (set NST_TEST_DATA)")
    return folder
