"""Provide nst's own executors: `local` runs a batch in processes on this machine."""

from __future__ import annotations

from collections.abc import Iterable

from nst.hookspecs import hookimpl
from nst.specs import ExecutorSpec, Option

LOCAL = ExecutorSpec(
    name="local",
    factory="nst.worker.pool:execute",
    summary="processes on this machine, each of which keeps its network from picture to picture",
    options=(Option("jobs", 1, "pictures painted at once; each takes the memory of one", minimum=1),),
)


@hookimpl
def nst_executors() -> Iterable[ExecutorSpec]:
    """Yield the executor `local`."""
    yield LOCAL
