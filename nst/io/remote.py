"""Read and write pictures on shared storage, by URL (`s3://bucket/cat.jpg`), through fsspec."""

from __future__ import annotations

import os
import posixpath
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from glob import has_magic
from pathlib import Path
from typing import Any

from nst.errors import NstError, UserError

_URL = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]+://")

WHOLE = ("s3", "s3a", "gs", "gcs", "abfs", "abfss", "az")
"""Stores in which an object is there when all of it is: elsewhere a file is written under another name, and moved."""


def is_url(path: str) -> bool:
    """Return whether a path is a URL."""
    return bool(_URL.match(path))


def join(folder: str, name: str) -> str:
    """Join a folder, which is a path or a URL, and a name."""
    return posixpath.join(folder, name.replace(os.sep, "/")) if is_url(folder) else os.path.join(folder, name)


def glob(pattern: str) -> list[str]:
    """List the URLs that a pattern (`*`, `?`, `[…]`) or a folder names. Raises `UserError`."""

    def matches(system: Any, path: str) -> list[str]:
        names = [path] if system.isfile(path) else system.glob(path if has_magic(path) else posixpath.join(path, "*"))
        return [system.unstrip_protocol(name) for name in names]

    return list(_at(pattern, matches))


def fetch(url: str, target: Path) -> None:
    """Copy the file at a URL to a local file. Raises `UserError`."""
    _at(url, lambda system, path: system.get_file(path, str(target)))


def read(url: str) -> bytes:
    """Read the bytes at a URL. Raises `UserError`."""
    return bytes(_at(url, lambda system, path: system.cat_file(path)))


def exists(url: str) -> bool:
    """Return whether a file exists at a URL. Raises `UserError` if the storage does not answer."""
    return bool(_at(url, lambda system, path: system.exists(path)))


def write(url: str, source: Path) -> None:
    """Copy a local file to a URL atomically. Raises `UserError`."""

    def put(system: Any, path: str) -> None:
        if url.partition("://")[0] in WHOLE:
            system.put_file(str(source), path)
            return
        folder, name = posixpath.split(path)
        temporary = posixpath.join(folder, f".nst-{secrets.token_hex(8)}.part")
        system.makedirs(folder, exist_ok=True)
        try:
            system.put_file(str(source), temporary)
            system.mv(temporary, posixpath.join(folder, name))
        finally:
            with suppress(OSError):
                if system.exists(temporary):
                    system.rm_file(temporary)

    _at(url, put)


def _at(url: str, action: Callable[[Any, str], Any]) -> Any:
    try:
        from fsspec.core import url_to_fs
    except ImportError:
        raise NstError(f"to reach {url} fsspec is needed", "pip install fsspec") from None
    try:
        system, path = url_to_fs(url)
        return action(system, path)
    except ImportError as error:  # fsspec knows which package is for which kind of URL
        raise UserError(f"cannot reach {url}: {error}", "install it on every machine that paints") from None
    except FileNotFoundError:
        raise UserError(f"there is no {url}", "check the name") from None
    except Exception as error:  # each kind of storage raises its own
        raise UserError(f"cannot reach {url}: {type(error).__name__}: {error}", "") from error
