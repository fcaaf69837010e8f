"""Define the options of Gradio events, and read file paths from their data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

PRIVATE: Mapping[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
"""Options of an event that is not part of the API."""

RAW: Mapping[str, Any] = {**PRIVATE, "preprocess": False}
"""Options of an event with unprocessed files: `nst.ui.uploads` checks the files."""

AT_ONCE: Mapping[str, Any] = {"concurrency_limit": None}
"""Options of an event that runs for all visitors at once: `nst.ui.device_queue` decides the order of the jobs."""


def upload_path(file: Any) -> str | None:
    """Return the path of an uploaded file, or None without a file."""
    return file["path"] if file else None


def paths_of(gallery: Any) -> Sequence[str]:
    """Return the paths of the files in a gallery."""
    return [path for item in gallery or () if (path := upload_path(item.get("image") or item.get("video")))]
