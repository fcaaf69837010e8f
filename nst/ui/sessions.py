"""Keep the session of each open page, with a private folder and its own pictures."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock

from nst.engine.masks import Mask
from nst.recipe.recipe import Recipe
from nst.ui.run_state import RunState


@dataclass(frozen=True)
class PaintedPicture:
    """A finished picture: its file, its content image, its recipe and a one-line summary."""

    path: Path
    content: Path
    recipe: Recipe
    words: str


@dataclass
class Visitor:
    """One open page. `run` is the current or last run; `pictures` are in the order of creation.

    `mask` is the part marked with the brush. `command` is the current or last estimate or comparison.
    """

    folder: Path
    pictures: list[PaintedPicture] = field(default_factory=list)
    run: RunState | None = None
    mask: Mask | None = None
    command: RunState | None = None
    gone: bool = False

    @property
    def busy(self) -> bool:
        """Whether a picture of this page is waiting or being painted."""
        return self.run is not None and not self.run.over


class Visitors:
    """The open pages by session name. `close` deletes the private folder that holds all their files."""

    def __init__(self, leave: Callable[[Visitor], object] = lambda visitor: None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="nst-ui-"))  # rights 0700
        self.cache = self.root / "cache"
        self.cache.mkdir()
        self._leave, self._lock = leave, Lock()
        self._visitors: dict[str, Visitor] = {}

    def enter(self, session: str | None) -> Visitor:
        """Return the visitor of a session. The first call creates the visitor."""
        name = session or "none"
        with self._lock:
            if name not in self._visitors:
                self._visitors[name] = Visitor(Path(tempfile.mkdtemp(prefix="visitor-", dir=self.root)))
            return self._visitors[name]

    def leave(self, session: str | None) -> None:
        """End a session: stop its run and delete its files. The end of the last session deletes all uploads."""
        with self._lock:
            visitor = self._visitors.pop(session or "none", None)
            empty = not self._visitors
        if visitor is not None:
            visitor.gone = True
            self._leave(visitor)
            shutil.rmtree(visitor.folder, ignore_errors=True)
        if empty:
            for entry in os.scandir(self.cache):
                shutil.rmtree(entry.path, ignore_errors=True)

    def __len__(self) -> int:
        """Return the number of open pages."""
        return len(self._visitors)

    def close(self) -> None:
        """End every session and delete all files."""
        for name in list(self._visitors):
            self.leave(name)
        shutil.rmtree(self.root, ignore_errors=True)
