"""Files and folders that are written whole or not at all."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import BinaryIO


def replace(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Call `write` with a new file and put it in the place of `path`; an error leaves the old file and nothing else.

    A link keeps pointing where it did, and an old file's rights are kept. Raises what `write` and the disk raise.
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
    """Make the folder `path` of files with these texts, by their paths in it; an error leaves nothing behind.

    Its parent must exist; where `path` does, it must be an empty folder. Raises what the disk raises.
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
