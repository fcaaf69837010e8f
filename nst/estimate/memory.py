"""Read the peak, the resident and the available memory of this process."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

PROC = Path("/proc")
GROUPS = Path("/sys/fs/cgroup")
NO_LIMIT = 2**60  # what version 1 of control groups writes for none is more than this


def peak_memory() -> int | None:
    """Return the peak resident memory of this process in bytes; None where the system does not tell (Windows)."""
    try:
        import resource
    except ImportError:
        return None
    if own := _field(PROC / "self" / "status", "VmHWM"):  # rusage has also that of whoever started the process
        return own
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def reset_peak_memory() -> None:
    """Let `peak_memory` begin anew, where the system can (Linux)."""
    with suppress(OSError):
        (PROC / "self" / "clear_refs").write_text("5")


def resident_memory() -> int | None:
    """Return the resident memory of this process in bytes; None where there is no `/proc`."""
    return _field(PROC / "self" / "status", "VmRSS")


def available_memory() -> int | None:
    """How many more bytes this process can hold; None where nothing tells.

    The least of what the machine has left, what the control groups (versions 1 and 2) leave it, and what `ulimit -v`
    and `ulimit -d` do.
    """
    return min((max(0, left) for left in (*_machine(), *_groups(), *_limits())), default=None)


def _machine() -> Iterator[int]:
    left = _field(PROC / "meminfo", "MemAvailable")
    if left is not None:
        yield left


def _limits() -> Iterator[int]:
    """Yield the bytes that the process's own limits leave of address space and of data."""
    try:
        import resource
    except ImportError:
        return
    for limit, used in ((resource.RLIMIT_AS, "VmSize"), (resource.RLIMIT_DATA, "VmData")):
        most, used_bytes = resource.getrlimit(limit)[0], _field(PROC / "self" / "status", used)
        if most != resource.RLIM_INFINITY and used_bytes is not None:
            yield most - used_bytes


def _groups() -> Iterator[int]:
    """Yield the free bytes of each control group of this process, up to the root; page cache counts as free."""
    for line in _text(PROC / "self" / "cgroup").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "":
            names, top = ("memory.max", "memory.current"), GROUPS
        elif "memory" in controllers.split(","):
            names, top = ("memory.limit_in_bytes", "memory.usage_in_bytes"), GROUPS / "memory"
        else:
            continue
        path_below = Path(path.lstrip("/"))
        for folder in (path_below, *path_below.parents):
            yield from _left(top / folder, *names)


def _left(folder: Path, limit: str, usage: str) -> Iterator[int]:
    most, used = _text(folder / limit).strip(), _text(folder / usage).strip()
    if most.isdigit() and used.isdigit() and int(most) < NO_LIMIT:
        cache = [line.split()[1] for line in _text(folder / "memory.stat").splitlines() if "inactive_file" in line]
        yield int(most) - int(used) + max(map(int, cache), default=0)


def _field(file: Path, name: str) -> int | None:
    """Read a line such as `VmRSS: 1024 kB`, in bytes."""
    values = (line.split()[1] for line in _text(file).splitlines() if line.startswith(f"{name}:"))
    kilobytes = next(values, None)
    return None if kilobytes is None else int(kilobytes) * 1024


def _text(file: Path) -> str:
    """Read the file's text; "" if it does not exist or cannot be read."""
    try:
        return file.read_text()
    except OSError:
        return ""
