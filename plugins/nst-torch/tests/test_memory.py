"""What an evaluation frees, the next one finds."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from functools import partial

import pytest

from nst.losses.gram import Gram
from nst.objective import Frugal
from nst.task import Level, Task, build_level
from nst.terms import LossUse, Region
from nst_torch.vgg import VGG

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


class Greedy(Gram):
    """Needs more than there is for the statistic of anything larger than a tile."""

    def statistic(self, xp, features, weight):
        room = xp.eye(10**6)[0, 0] if features.shape[0] > 120 else 1.0
        return room * super().statistic(xp, features, weight)


def test_a_statistic_for_which_there_is_no_memory_is_taken_in_tiles(make_network, photo):
    """Of the styles, and of the picture's own tiles: what losses compute is told like what the network does."""
    level = Level(144, 1, VGG(make_network(), device="cpu", precision="float32"))
    use, notes = LossUse("style", Greedy(), {"relu1_1": 1.0}, 1.0), []
    region, content = Region([photo(144, 144, seed=1)], [1.0]), photo(144, 144)
    image = level.backend.asarray(content)
    task = Task([level], content, [region], content, [use], [], None, {})
    found = Frugal(partial(build_level, task, level), 0, 144, notes.append, level.backend)(image)
    plain = replace(task, style=[replace(use, loss=Gram())])
    assert found.terms == pytest.approx(build_level(plain, level)(image).terms, rel=1e-4)
    assert notes == ["not enough memory: going on in tiles of 72 px"]
