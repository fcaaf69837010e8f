"""Processes of our own: how each is started, and what to say of one that has ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import Any

THREADS = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")


def start(module: str, *arguments: str, log: Any, jobs: int = 1, **pipes: Any) -> subprocess.Popen[bytes]:
    """`python -m module` in a session of its own, so that a Ctrl-C at the terminal reaches it through us alone.

    What it says on stderr goes to `log`; it is one of `jobs` at once.
    """
    return subprocess.Popen(
        [sys.executable, "-P", "-m", module, *arguments],
        stderr=log,
        env=environment(jobs),
        start_new_session=True,
        **pipes,
    )


def environment(jobs: int) -> dict[str, str]:
    """Ours, with our module path; of several jobs each gets its share of the cores, unless somebody has said."""
    share = {name: str(max(1, (os.cpu_count() or 1) // jobs)) for name in THREADS} if jobs > 1 else {}
    return share | os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}


def signal_of(code: int) -> str:
    """The name of the signal that a process has died of, "" for none."""
    return signal.Signals(-code).name if code < 0 else ""


def ended(code: int, said: str) -> str:
    """How a process ended, from its exit code and what it said."""
    if code == -9:
        return "killed (signal 9), as the system does when memory runs out"
    if code < 0:
        return f"died of {signal_of(code)}"
    last = said.strip().splitlines()[-1:]
    return ": ".join([f"ended with exit code {code}", *last])
