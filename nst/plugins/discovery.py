"""Find the `nst.v<N>` entry points of installed distributions with `importlib.metadata`.

`importlib.metadata.entry_points()` raises for all when the files of one distribution are corrupt. So each distribution
is read by itself here. `importlib.metadata` and `packaging` are imported inside functions: each takes a Python start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nst.hookspecs import ENTRY_POINT_GROUP

if TYPE_CHECKING:
    from importlib.metadata import Distribution

PREFIX = "nst.v"


@dataclass(frozen=True)
class EntryPoint:
    """One line `name = module` of an entry-point table, its group, and its distribution.

    `error` is the error that reading the distribution's metadata raised; `name` and `module` are then empty.
    """

    group: str
    name: str
    module: str
    distribution: str
    version: str
    error: Exception | None = None


def discover(path: Sequence[str] | None = None) -> list[EntryPoint]:
    """Return the entry points of all groups `nst.v<N>` on `path`, by default `sys.path`.

    Of two installs of one distribution, the one that Python finds first counts.
    """
    from importlib.metadata import Distribution

    search: dict[str, Any] = {} if path is None else {"path": list(path)}
    names = [_name(item) for item in Distribution.discover(**search) if f"[{PREFIX}" in _table(item)]
    installs = [next(iter(Distribution.discover(name=name, **search)), None) for name in dict.fromkeys(names)]
    distributions = {_name(install): install for install in installs if install is not None}
    return [entry for name, distribution in distributions.items() for entry in _entries(name, distribution)]


def canonical(distribution: str) -> str:
    """Return the normalized name of a distribution: `NST_Torch` is `nst-torch` (PEP 503)."""
    from packaging.utils import canonicalize_name

    return canonicalize_name(distribution)


def _table(distribution: Distribution) -> str:
    """Return the text of `entry_points.txt`, with undecodable bytes replaced; "" if it cannot be read."""
    try:
        return distribution.read_text("entry_points.txt") or ""
    except UnicodeDecodeError as error:
        return error.object.decode("utf-8", "replace")
    except OSError:
        return ""


def _name(distribution: Distribution) -> str:
    """Return the name in `METADATA`; if there is none, the name in the folder's name `my_plugin-1.0.dist-info`."""
    with suppress(Exception):
        if name := distribution.metadata["Name"]:
            return str(name)
    folder: str = distribution._path.name  # type: ignore[attr-defined]
    return folder.partition("-")[0].replace("_", "-")


def _entries(name: str, distribution: Distribution) -> Iterator[EntryPoint]:
    try:
        version = distribution.metadata["Version"]
        lines = [(line.group, line.name, line.value) for line in distribution.entry_points]
        if not version:
            raise ValueError("no version in METADATA")
    except Exception as error:  # whatever a parser of corrupt text raises
        yield EntryPoint(ENTRY_POINT_GROUP, "", "", name, "", error)
        return
    for line in dict.fromkeys(line for line in lines if line[0].startswith(PREFIX)):
        yield EntryPoint(*line, name, version)
