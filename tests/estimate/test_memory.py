"""What this process holds, has held and could still hold, limits heeded."""

from __future__ import annotations

import subprocess
import sys

import pytest

from nst.estimate import memory

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="there is no /proc elsewhere")

LIMITED = """
import resource
from nst.estimate.memory import available_memory, _field, PROC
held = _field(PROC / "self" / "status", "{used}")
resource.setrlimit(resource.{limit}, (held + 50_000_000, resource.RLIM_INFINITY))
print(available_memory())
"""


@pytest.mark.parametrize(("limit", "used"), [("RLIMIT_AS", "VmSize"), ("RLIMIT_DATA", "VmData")])
def test_a_limit_of_the_process_is_what_is_left_to_it(limit, used):
    program = LIMITED.format(limit=limit, used=used)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert 40_000_000 < int(done.stdout) <= 50_000_000


def test_what_is_held_is_no_more_than_the_peak():
    assert 1_000_000 < memory.resident_memory() < 1.05 * memory.peak_memory()  # the kernel counts them apart


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A `/proc` and a `/sys/fs/cgroup` of our own, 8 MB being left: `machine(file, text)` writes a file there."""

    def write(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)

    monkeypatch.setattr(memory, "PROC", tmp_path / "proc")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    write("proc/meminfo", "MemTotal: 16384 kB\nMemAvailable:    8192 kB\n")
    return write


def test_without_limits_it_is_what_the_machine_has_left(machine):
    assert memory.available_memory() == 8192 * 1024


@pytest.mark.parametrize(("most", "left"), [("5000", 5000 - 3000 + 400), ("max", 8192 * 1024)])
def test_a_control_group_of_version_2_is_heeded_with_those_above_it(machine, most, left):
    machine("proc/self/cgroup", "0::/user/session\n")
    machine("groups/user/memory.max", f"{most}\n")
    machine("groups/user/memory.current", "3000\n")
    machine("groups/user/memory.stat", "anon 2000\ninactive_file 400\n")
    machine("groups/user/session/memory.max", "max\n")
    machine("groups/user/session/memory.current", "10\n")
    assert memory.available_memory() == left


@pytest.mark.parametrize(("most", "left"), [("5000", 2000), (str(2**63 - 4096), 8192 * 1024)])
def test_a_control_group_of_version_1_is_heeded(machine, most, left):
    machine("proc/self/cgroup", "9:name=systemd:/\n4:cpu,memory:/box\n0::/\n")
    machine("groups/memory/box/memory.limit_in_bytes", most)
    machine("groups/memory/box/memory.usage_in_bytes", "3000")
    assert memory.available_memory() == left


def test_a_group_that_is_over_its_limit_leaves_nothing(machine):
    machine("proc/self/cgroup", "0::/\n")
    machine("groups/memory.max", "10")
    machine("groups/memory.current", "20")
    assert memory.available_memory() == 0


def test_where_nothing_tells_nothing_is_known(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "PROC", tmp_path)
    assert memory.available_memory() is None
    assert memory.resident_memory() is None
