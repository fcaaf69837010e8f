"""Check and create the folder of a report."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from nst.errors import UserError

PAGE = "index.html"


def occupied(output: Path, mark: str) -> UserError | None:
    """Return the error if a page with this mark cannot be written to `output`, or would replace another page."""
    if output.exists() and not output.is_dir():
        return UserError(f"'{output}' is not a folder", "choose another name for the report")
    with suppress(OSError):
        if mark not in (output / PAGE).read_text("utf-8", "replace"):
            return UserError(f"'{output / PAGE}' is another page", "choose another folder for the report")
    return None


def make(folder: Path) -> None:
    """Create the folder if it does not exist. Raise `UserError`."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create the folder '{folder}': {error.strerror}", "choose another folder") from None
