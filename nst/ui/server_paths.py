"""Remove the folders of the server from texts that visitors see."""

from __future__ import annotations

import re

_QUOTED = re.compile(r"""(?<=['"])(?:[A-Za-z]:)?[/\\](?:[^'"/\\\n]+[/\\])+""")
"""The folders of a quoted path, which may contain spaces."""

_BARE = re.compile(r"""(?<![\w:/\\.~-])(?:[A-Za-z]:)?[/\\](?:[^\s'"/\\:,;]+[/\\])+""")
"""The folders of an absolute path without spaces. A URL is no such path, because a colon is before its slashes."""


def without_folders(text: str) -> str:
    """Return a text in which every absolute path is replaced by its file name."""
    return _BARE.sub("", _QUOTED.sub("", text))
