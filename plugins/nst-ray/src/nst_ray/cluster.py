"""Joining a Ray cluster, or starting one here for as long as it is needed."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from nst import NstError

os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is told to anybody

import ray

PATIENCE = 7.0
"""Seconds in which a cluster must answer."""

STORE = 128 * 2**20
"""Bytes of shared memory for a cluster of our own: orders and outcomes are small, pictures are files."""

RAY_PORT = 6379


@contextmanager
def connected(address: str) -> Iterator[None]:
    """Provide a cluster: the current one, the one at `address`, or a new local one that is shut down afterwards.

    Raises `NstError` for one that does not answer.
    """
    if ray.is_initialized():
        yield
        return
    _join(address)
    try:
        yield
    finally:
        ray.shutdown()


def _join(address: str) -> None:
    quiet: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    try:
        if not address:
            ray.init(address="local", include_dashboard=False, object_store_memory=STORE, **quiet)
            return
        check(address)
        ray.init(address=address, **quiet)
    except (ConnectionError, RuntimeError, TimeoutError, ValueError) as error:
        raise _silent(address or "here", str(error).partition("\n")[0]) from None


def check(address: str) -> None:
    """Raise `NstError` for a cluster that does not answer within a few seconds; `auto` is asked for its own."""
    if address == "auto":
        return
    scheme, _, place = address.rpartition("://")
    host, _, port = place.rpartition(":")
    try:
        with socket.create_connection((host or place, int(port)), timeout=PATIENCE / 2):
            pass
    except ValueError:
        raise _silent(address, "it is not HOST:PORT") from None
    except OSError as error:
        raise _silent(address, error.strerror or str(error)) from None
    if not scheme:
        _check_health(address)


def _check_health(address: str) -> None:
    """Ask by Ray's own command: something may listen there that is no Ray, and to join that takes minutes."""
    command = [sys.executable, "-m", "ray.scripts.scripts", "health-check", "--address", address]
    try:
        done = subprocess.run(command, capture_output=True, timeout=PATIENCE, text=True)
    except subprocess.TimeoutExpired:
        raise _silent(address, f"no answer in {PATIENCE:g} seconds") from None
    if done.returncode:
        raise _silent(address, "what listens there is not Ray of this version")


def _silent(address: str, reason: str) -> NstError:
    hint = "is it started there (ray start --head), and may this machine reach it?"
    return NstError(f"the Ray cluster at '{address}' does not answer: {reason}", hint)


def room(needs: Mapping[str, float]) -> int:
    """How many workers with such needs the cluster has room for, machine by machine."""
    nodes: list[dict[str, Any]] = ray.nodes()  # type: ignore[no-untyped-call]
    nodes = [node["Resources"] for node in nodes if node["Alive"]]
    amounts = {name: amount for name, amount in needs.items() if amount}
    return int(sum(min((node.get(name, 0) // amount for name, amount in amounts.items()), default=1) for node in nodes))
