"""What a run says it will need is what it needs; where that is too much, it goes on in tiles."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys

import numpy as np
import pytest

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(not sys.platform.startswith("linux"), reason="memory is limited differently there"),
]

PROGRAM = """
import json, resource, sys
import numpy as np
from nst.job import Job, Sources
from nst.estimate.memory import PROC, _field
from nst.images.demo_painting import paint_demo
from nst.recipe import Recipe
import nst_torch.memory

asked = json.loads(sys.argv[1])
size = asked["size"]
painting = paint_demo(size, size)
layers = {"content_layers": "relu2_2", "style_layers": "relu1_1=1,relu2_1=1"} if asked["shallow"] else {}
recipe = Recipe(
    weights="compact",
    sizes=(size,),
    steps=(3,),
    optimizer="adam",
    device="cpu",
    precision="float32",
    tile=asked["tile"],
    **layers,
)
job = Job(Sources(painting[::-1].copy(), [painting]), recipe)
if asked["room"]:  # memory that is kept for later is no memory taken, but it is address space, which is limited here
    nst_torch.memory.keep = lambda: None
job.open()
if asked["room"]:
    limit = _field(PROC / "self" / "status", "VmSize") + asked["room"] * 10**6
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
said = job.estimate() if not asked["room"] else None
result = job.stylize()
np.save(asked["file"], result.pixels)
print(json.dumps({"estimate": said and said.memory, "peak": result.facts["peak_memory"], "notes": result.notes}))
"""


@pytest.fixture
def run(tmp_path):
    """A run in a process of its own, with `room` MB more than it has when its backend is open; 0 is no limit."""

    def call(size=768, tile="auto", room=0, shallow=True):
        file = tmp_path / f"{tile}-{room}.npy"
        asked = {"size": size, "tile": tile, "room": room, "shallow": shallow, "file": str(file)}
        command = [sys.executable, "-c", PROGRAM, json.dumps(asked)]
        done = subprocess.run(
            command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout), np.load(file)

    return call


@pytest.mark.parametrize("tile", ["auto", "128"])
def test_memory_is_known_to_a_quarter_before_the_run(run, tile):
    found, _ = run(384, tile, shallow=False)
    assert found["estimate"] == pytest.approx(found["peak"], rel=0.25)
    assert found["notes"] == []


def test_a_run_for_which_memory_runs_out_goes_on_in_tiles_to_the_same_picture(run):
    """Tiles larger than the picture are no tiles, and nothing is forecast for those that a person has chosen."""
    limited, picture = run(tile="4096", room=600)
    assert limited["notes"][0] == "not enough memory: continuing in tiles of 392 px"  # the rim too
    assert np.abs(picture - run(tile="off")[1]).mean() < 1e-4


def test_a_run_that_knows_there_is_too_little_memory_begins_in_tiles(run):
    (note,) = run(room=400)[0]["notes"]
    assert re.fullmatch(r"768 px needs \d+\.\d GB; \d+\.\d GB is free, so tiles of \d+ px are used", note)
