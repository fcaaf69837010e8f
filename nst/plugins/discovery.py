"""Finds the `nst.v<N>` entry points of installed distributions, fast.

It reads what importlib.metadata reads, `entry_points.txt` beside each distribution on `sys.path`, and a test holds the
two against each other. importlib.metadata would do, but takes 30 ms to import: three times the interpreter's start,
paid by every command. Left out are eggs, distributions inside zip files, and the `~nst_torch-0.1.0.dist-info` that an
interrupted pip leaves beside the distribution itself. A table that cannot be read is nobody's: whose is not known.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

PREFIX = "nst.v"


@dataclass(frozen=True)
class EntryPoint:
    """One line of an entry-point table: `name = module`, its group, and the distribution it came with."""

    group: str
    name: str
    module: str
    distribution: str
    version: str


def discover(path: Sequence[str] | None = None) -> list[EntryPoint]:
    """Every entry point of a group `nst.v<N>`; the first of two installs of one distribution wins, as in Python."""
    found: dict[str, list[EntryPoint]] = {}
    for folder in sys.path if path is None else path:
        for name, version, text in _tables(folder or "."):
            if name not in found:
                found[name] = list(dict.fromkeys(_parse(text, name, version)))
    return [entry for entries in found.values() for entry in entries]


def _tables(folder: str) -> Iterator[tuple[str, str, str]]:
    """Distribution, version and entry-point table, "" for none, of each distribution in a folder."""
    try:
        names = sorted(entry.name for entry in os.scandir(folder) if entry.name.endswith((".dist-info", ".egg-info")))
    except (OSError, TypeError, ValueError):  # no folder, or no name of one
        return
    for name in names:
        distribution, _, version = name.rpartition(".")[0].partition("-")
        if not distribution or distribution.startswith("~"):
            continue
        yield canonical(distribution), version.partition("-")[0], _text(os.path.join(folder, name, "entry_points.txt"))


def canonical(distribution: str) -> str:
    """Return the normalized name of a distribution: `NST_Torch` is `nst-torch` (PEP 503)."""
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _text(file: str) -> str:
    try:
        with open(file, "rb", buffering=0) as opened:  # half the time of a text file, and there are hundreds
            return opened.read().decode("utf-8", "replace")
    except OSError:
        return ""


def _parse(text: str, distribution: str, version: str) -> Iterator[EntryPoint]:
    group = ""
    for line in map(str.strip, text.splitlines() if f"[{PREFIX}" in text else ()):
        if line.startswith("[") and line.endswith("]"):
            group = line.strip("[]")
        elif group.startswith(PREFIX) and "=" in line and not line.startswith("#"):
            name, _, module = line.partition("=")
            yield EntryPoint(group, name.strip(), module.strip(), distribution, version)
