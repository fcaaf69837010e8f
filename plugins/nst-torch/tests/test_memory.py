"""What an evaluation frees, the next one finds."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytestmark = pytest.mark.frameworks

PROGRAM = """
import resource, torch
from nst.weights import COMPACT
from nst_torch.vgg import VGG

backend = VGG(COMPACT.load(), device="cpu", precision="float32")
objective = backend.value_and_grad(
    lambda image: {name: backend.xp.mean(layer) for name, layer in backend.features(image, ["relu2_1"]).items()}
)
image = torch.rand(512, 512, 3)
for _ in range(5):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    objective(image)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="asks glibc")
def test_later_evaluations_ask_the_system_for_no_new_memory():
    """Each page of 4 KiB is a page fault, 50,000 for 200 MB; a block or two may still find no place it fits into."""
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) < 20_000


STARVED = """
import re, resource, torch
from pathlib import Path
from nst.weights import COMPACT
from nst_torch.vgg import VGG

backend = VGG(COMPACT.load(), device="cpu")
objective = backend.value_and_grad(
    lambda image: {name: layer.mean() for name, layer in backend.features(image, ["relu4_2"]).items()}
)
image = torch.rand(64, 64, 3)
used = int(re.search(r"VmSize:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024
resource.setrlimit(resource.RLIMIT_AS, (used, resource.RLIM_INFINITY))
try:
    objective(image)
except Exception as error:
    print(type(error).__name__)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits the address space")
def test_memory_that_onednn_does_not_get_is_told_the_way_python_does():
    """It says "could not create a primitive" where the arrays are small enough for what PyTorch has at hand."""
    done = subprocess.run([sys.executable, "-c", STARVED], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "MemoryError\n"
