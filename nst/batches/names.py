"""Name the outputs of a batch: stable, unique file names inside the folder."""

from __future__ import annotations

import hashlib
import os
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath, PureWindowsPath

from nst.batches.rows import BatchRow
from nst.errors import UserError
from nst.images import LONGEST_NAME, SUFFIXES
from nst.io import remote

LONGEST_STEM = 80  # characters of a picture's name in that of another


def named(rows: Sequence[BatchRow], folder: str, suffix: str = ".png") -> list[BatchRow]:
    """Give each row its output name in `folder`, or an error. Rows with equal names are all refused.

    A picture without a name is named after its content and its style: `cat--waves.png`. Where two names would be equal,
    a few digits of a hash of their inputs are added.
    """
    plain = [row.output or _stem(row) + suffix for row in rows]
    often = Counter(plain)
    rows = [
        replace(row, output=row.output or (name if often[name] == 1 else f"{_stem(row)}-{_hash(row)}{suffix}"))
        for row, name in zip(rows, plain, strict=True)
    ]
    taken = Counter(os.path.normcase(os.path.normpath(row.output)) for row in rows)
    read = {os.path.realpath(path) for row in rows for path in _files(row) if not remote.is_url(path)}
    return [row if row.error else replace(row, error=_mistake(row, folder, taken, read)) for row in rows]


def _stem(row: BatchRow) -> str:
    names = [row.content, *(style if isinstance(style, str) else style[0] for style in row.styles)]
    return "--".join(PurePosixPath(name.replace(os.sep, "/")).stem[:LONGEST_STEM] for name in names[:2] if name)


def _hash(row: BatchRow) -> str:
    facts = repr((row.content, [*row.styles], sorted(row.recipe.items()), row.masks, row.protect))
    return hashlib.sha256(facts.encode("utf-8", "surrogateescape")).hexdigest()[:6]


def _files(row: BatchRow) -> Iterable[str]:
    yield row.content
    for style in row.styles:
        yield from [style] if isinstance(style, str) else style


def _mistake(row: BatchRow, folder: str, taken: Counter[str], read: set[str]) -> UserError | None:
    name = row.output
    parts = {*PurePosixPath(name).parts, *PureWindowsPath(name).parts}
    if ".." in parts or "~" in parts or PurePosixPath(name).is_absolute() or PureWindowsPath(name).anchor:
        return UserError(f"the output '{name}' leads out of the folder", "give a name in it, such as sub/picture.png")
    if Path(name).suffix.lower() not in SUFFIXES:
        return UserError(f"the output '{name}' is not a picture", f"it must end in {', '.join(SUFFIXES)}")
    if len(os.fsencode(Path(name).name)) > LONGEST_NAME:
        return UserError(f"the output '{name:.40}…' is too long", f"{LONGEST_NAME} bytes are allowed")
    if taken[os.path.normcase(os.path.normpath(name))] > 1:
        return UserError(f"two rows have the output '{name}'", "give each row an output name of its own")
    if remote.is_url(folder):
        return None
    place, inside = os.path.realpath(os.path.join(folder, name)), os.path.realpath(folder)
    if os.path.commonpath([place, inside]) != inside:
        return UserError(f"the output '{name}' leads out of the folder by a link", "give a name in it")
    if place in read:
        return UserError(f"the output '{name}' is one of the pictures to read", "give it another name")
    return None
