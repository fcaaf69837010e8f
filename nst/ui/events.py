"""How the page's events are set up, and what comes in with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PRIVATE: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""An event of the page's own: no part of its API."""

RAW: Mapping[str, Any] = {**PRIVATE, "preprocess": False}
"""With files as they came: what they are is for `nst.ui.uploads` to say."""

AT_ONCE: Mapping[str, Any] = {"concurrency_limit": None}
"""For every visitor at once: whose turn it is to paint, the desk knows."""


def path_of(file: Any) -> str | None:
    """Where an uploaded file is, None for none."""
    return file["path"] if file else None


def paths_of(gallery: Any) -> Sequence[str]:
    """Where the files of a gallery are."""
    return [path for each in gallery or () if (path := path_of(each.get("image") or each.get("video")))]
