"""Find the `nst.v<N>` entry points of installed distributions with `importlib.metadata`.

`importlib.metadata.entry_points()` raises for all when the files of one distribution are corrupt. So each distribution
is read by itself here. `importlib.metadata` and `packaging` are imported inside functions: each takes a Python start.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
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
    names = [_folder_name(item) for item in Distribution.discover(**search) if f"[{PREFIX}" in _table(item)]
    installs = [next(iter(Distribution.discover(name=name, **search))) for name in dict.fromkeys(names) if name]
    return list(dict.fromkeys(entry for install in installs for entry in _entries(install)))


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


def _folder_name(distribution: Distribution) -> str:
    """Return the name in that of the folder `my_plugin-1.0.dist-info`; "" for `~y_plugin-…`, which pip leaves behind.

    Python searches a distribution by this name too; the name in `METADATA` would take parsing the file.
    """
    name: str = distribution._path.stem.partition("-")[0]  # type: ignore[attr-defined]
    return "" if name.startswith("~") else name


def _entries(distribution: Distribution) -> Iterator[EntryPoint]:
    try:
        metadata = distribution.metadata
        name, version = metadata["Name"], metadata["Version"]
        if not name or not version:
            raise ValueError("METADATA has no name or no version")
        lines = [line for line in distribution.entry_points if line.group.startswith(PREFIX)]
    except Exception as error:  # the parsers of corrupt files raise errors of any kind
        name = _folder_name(distribution).replace("_", "-")
        yield EntryPoint(ENTRY_POINT_GROUP, "", "", name, "", error)
        return
    for line in lines:
        yield EntryPoint(line.group, line.name, line.value, name, version)
