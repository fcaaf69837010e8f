"""What dies costs time and no picture: workers, machines, and the process that has the list."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pytest

import nst

pytestmark = [
    pytest.mark.frameworks,
    pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc"),
]
OPTIONS = [
    *("--backend", "example-backend", "--style-layers", "relu1_1", "--content-layers", "relu1_1"),
    *("--optimizer", "adam", "--size", "24", "--levels", "1", "--device", "cpu"),
]


def painting(doing: str = "") -> list[int]:
    """The processes of our workers on this machine; of those that paint with `doing="paint"`."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            title = (folder / "cmdline").read_bytes().decode() if folder.name.isdigit() else ""
        except OSError:
            continue
        if title.startswith(f"ray::Painting.{doing}" if doing else "ray::Painting"):
            found.append(int(folder.name))
    return found


def wait_for(condition: Callable[[], object], seconds: float = 60) -> bool:
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def kill_a_worker() -> bool:
    """Whether one was painting, which is no more."""
    for worker in painting("paint"):
        with suppress(ProcessLookupError):
            os.kill(worker, signal.SIGKILL)
            return True
    return False


def pictures() -> set[str]:
    """The names of what is painted."""
    return {name for name in os.listdir("out") if name.endswith(".png")} if os.path.isdir("out") else set()


@pytest.fixture
def slow(recipe):
    """A second or two for each picture."""
    return {**recipe, "steps": 200}


def batch(recipe, output, **given):
    found = nst.batch("photos", "sea.png", output, recipe, **given)
    return {each.output: each.status for each in found}


def test_a_worker_killed_in_the_middle_of_a_picture_costs_no_picture_and_no_bit(cluster, desk, slow):
    recipe = nst.Recipe(**slow)
    with ThreadPoolExecutor(1) as aside:  # orders are given only while somebody waits for a picture
        painted = aside.submit(batch, recipe, "out", executor="ray", executor_options={"jobs": 2})
        assert wait_for(pictures)
        assert wait_for(kill_a_worker)
    assert list(painted.result().values()) == ["finished"] * 6
    assert set(batch(recipe, "here").values()) == {"finished"}
    for name in pictures():
        assert Path("out", name).read_bytes() == Path("here", name).read_bytes()


MACHINES = """
import sys
import nst, ray
from ray.cluster_utils import Cluster
from nst_ray.cluster import STORE
size = {"object_store_memory": STORE, "include_dashboard": False}
cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1, **size})
other = cluster.add_node(num_cpus=1, **size)
ray.init(address=cluster.address, log_to_driver=False)
found = nst.batch("photos", "sea.png", "out", nst.Recipe(**RECIPE), executor="ray")
print("told", next(found).status)
cluster.remove_node(other, allow_graceful=False)
for each in found:
    print("told", each.status, each.message)
ray.shutdown()
cluster.shutdown()
"""


@pytest.mark.slow
def test_a_machine_that_dies_costs_no_picture(desk, slow):
    program = MACHINES.replace("RECIPE", repr(slow))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-3000:]
    told = [line.split()[1] for line in done.stdout.splitlines() if line.startswith("told ")]  # Ray has its own say
    assert told == ["finished"] * 6, done.stdout


@pytest.mark.parametrize(("how", "code"), [(signal.SIGKILL, -9), (signal.SIGINT, 130)])
def test_whatever_ends_the_driver_the_workers_end_and_the_next_run_paints_the_rest(cluster, desk, how, code):
    address = cluster.get_runtime_context().gcs_address
    words = ["batch", "--content", "photos", "--style", "sea.png", "-o", "out", "--executor", "ray", "--jobs", "1"]
    command = [sys.executable, "-m", "nst", *words, "--address", address, *OPTIONS, "--steps", "200"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as running:
        assert wait_for(pictures)
        assert wait_for(lambda: painting("paint"))
        running.send_signal(how)
        try:
            running.communicate(timeout=60)
        finally:
            running.kill()
    assert running.returncode == code
    assert wait_for(lambda: not painting())
    before = pictures()
    assert 0 < len(before) < 6
    again = subprocess.run(command, capture_output=True, text=True)
    assert again.returncode == 0, again.stderr
    assert f"{6 - len(before)} finished, {len(before)} kept" in again.stderr.splitlines()[-1]
