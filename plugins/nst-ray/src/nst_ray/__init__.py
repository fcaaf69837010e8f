"""What this plugin offers, without importing Ray: the factory is a string, imported at first use."""

from __future__ import annotations

from collections.abc import Iterator

from nst import ExecutorSpec, Option, hookimpl

RAY = ExecutorSpec(
    name="ray",
    factory="nst_ray.executor:execute",
    summary="a Ray cluster, or all of this machine; workers keep their network, and are replaced when they die",
    options=(
        Option("address", "", "the cluster: auto, HOST:PORT or ray://HOST:PORT; without it, Ray is started here"),
        Option("jobs", 0, "workers at once; 0 is as many as there is room for", minimum=0, maximum=100_000),
        Option("num_cpus", 1.0, "cores for each worker", minimum=0, maximum=10_000),
        Option("num_gpus", 0.0, "GPUs for each worker; several share one at less than 1", minimum=0, maximum=1000),
        Option("retries", 2, "how often a picture is tried again after its worker died", minimum=0, maximum=100),
    ),
    requires=("ray", "fsspec"),
    install="nst-ray",
    remote=True,
)


@hookimpl
def nst_executors() -> Iterator[ExecutorSpec]:
    """Places where folders are painted."""
    yield RAY
