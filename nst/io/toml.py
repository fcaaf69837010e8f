"""Write tables as TOML, as far as recipes need it; Python reads TOML but does not write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from nst.errors import UserError

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPED = {'"': r"\"", "\\": r"\\", "\n": r"\n", "\t": r"\t", "\r": r"\r"}


def dumps(table: Mapping[str, Any]) -> str:
    """Return one `name = value` per line, for text, numbers, booleans, and lists and tables of these.

    `tomllib` reads the same table back. Control characters are escaped. Raises `UserError` for any other value.
    """
    return "".join(f"{_key(name)} = {_value(value)}\n" for name, value in table.items())


def _value(value: Any) -> str:
    if hasattr(value, "item"):  # a NumPy scalar, whose repr is no number
        value = value.item()
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return _joined("{", (f"{_key(str(name))} = {_value(each)}" for name, each in value.items()), "}")
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_value, value))}]"
    raise UserError(f"{value!r} cannot be written as TOML", "recipes hold text, numbers, lists and tables")


def _joined(opening: str, parts: Iterable[str], closing: str) -> str:
    inner = ", ".join(parts)
    return f"{opening} {inner} {closing}" if inner else opening + closing


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(text: str) -> str:
    return f'"{"".join(map(_character, text))}"'


def _character(character: str) -> str:
    if character in _ESCAPED:
        return _ESCAPED[character]
    if character.isprintable():
        return character
    code = ord(character)
    if 0xD800 <= code < 0xE000:
        raise UserError(f"{character!r} cannot be written as TOML", "give the file a name in UTF-8")
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
