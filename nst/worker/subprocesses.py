"""Start and end worker processes, and describe how one ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from typing import Any

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def start(module: str, *arguments: str, log: Any, jobs: int = 1, **pipes: Any) -> subprocess.Popen[bytes]:
    """Start `python -m module` in a new session, so that Ctrl-C in the terminal does not reach it.

    Its stderr goes to `log`. It shares the cores with `jobs` - 1 others.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stderr=log,
        env=environment(jobs),
        start_new_session=True,
        **pipes,
    )


def kill(process: subprocess.Popen[bytes]) -> None:
    """End a process and its group at once, unless the process has ended."""
    if process.returncode is None:
        process.kill()
        wait(process)


def wait(process: subprocess.Popen[bytes]) -> int:
    """Wait for the end of a process, end the rest of its group, and return the exit code."""
    code = process.wait()
    if hasattr(os, "killpg"):
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    return code


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def environment(jobs: int) -> dict[str, str]:
    """Return our environment with `sys.path`, and a share of the cores for each of several jobs unless one is set."""
    share = {name: str(max(1, cores() // jobs)) for name in THREADS} if jobs > 1 else {}
    return share | os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def signal_of(code: int) -> str:
    """Return the name of the signal that ended a process, or ""."""
    return signal.Signals(-code).name if code < 0 else ""


def ended(code: int, log: str) -> str:
    """Describe how a process ended, from its exit code and the text on its stderr."""
    if code == -9:
        return "was killed (signal 9), as the system does when memory runs out"
    if code < 0:
        return f"died of {signal_of(code)}"
    last = log.strip().splitlines()[-1:]
    return ": ".join([f"ended with exit code {code}", *last])
