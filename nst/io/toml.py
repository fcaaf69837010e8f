"""Write tables as TOML that a terminal can show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tomli_w

from nst.errors import UserError


def dumps(table: Mapping[str, Any]) -> str:
    """Return a table of text, numbers, booleans, lists and tables as TOML; `tomllib` reads the same table back.

    Control characters are escaped, so that a file name cannot send control sequences to a terminal. Raises `UserError`
    for other values.
    """
    try:
        text = tomli_w.dumps(table)
        text.encode()
    except UnicodeEncodeError:
        raise UserError("a name cannot be written as TOML", "give the file a name in UTF-8") from None
    except TypeError as error:
        raise UserError(f"cannot be written as TOML: {error}", "recipes hold text, numbers, lists and tables") from None
    return "".join(map(_visible, text))


def _visible(character: str) -> str:
    """Escape a character that is not printable; outside strings, TOML has only line ends."""
    printable = character.isprintable() or character == "\n"
    return character if printable else f"\\U{ord(character):08x}"
