"""Check the files that a command is to write: writable, and different from each other."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from nst.errors import Findings, UserError
from nst.persistence.checkpoint import Checkpoint


def check_writable(path: Path) -> UserError | None:
    """Return the error that stops a file from being written at `path`, or None."""
    if os.path.isdir(path):
        return UserError(f"'{path}' is a folder", "give a file name")
    try:
        with suppress(FileNotFoundError):
            os.stat(path)  # a name too long
        with tempfile.TemporaryFile(dir=path.parent):
            return None
    except OSError as error:
        return UserError(f"cannot write '{path}': {error.strerror}", "choose a folder that exists and can be written")


def other_file(path: Path) -> UserError | None:
    """Return the error for an existing file that is not a checkpoint, or None."""
    if not os.path.isfile(path) or Findings().attempt(lambda: Checkpoint(path)):
        return None
    return UserError(f"--checkpoint '{path}' exists and is not a checkpoint", "give it another name")


def same(path: Path, other: str | Path) -> bool:
    """Return whether two paths lead to one file, existing or not."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except OSError:  # the current folder is gone
        return False
