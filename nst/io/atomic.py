"""Write files and folders atomically: completely or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write` with a new file and move it to `path`; after an error only the old file is left.

    A symbolic link keeps its target, and the old file's permissions are kept. Raises the errors of `write` and of the
    disk.
    """
    target = Path(os.path.realpath(path))
    temporary = target.with_name(f".nst-{secrets.token_hex(8)}.part")
    try:
        with open(temporary, "xb") as file:  # not tempfile's 0600: the result has the rights of any new file
            write(file)
            file.flush()
            os.fsync(file.fileno())
        if target.exists():
            shutil.copymode(target, temporary)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def folder(path: Path, texts: Mapping[str, str]) -> None:
    """Create the folder `path` with text files, by relative path; an error leaves no partial folder.

    The parent folder must exist; an existing `path` must be an empty folder. Raises the disk's errors.
    """
    temporary = path.with_name(f".nst-{secrets.token_hex(8)}.part")
    try:
        temporary.mkdir()
        for name, text in texts.items():
            file = temporary / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
        if path.exists():
            path.rmdir()
        temporary.rename(path)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
