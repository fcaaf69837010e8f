"""Who is here: each open page has a private folder, its own pictures, and nobody else's."""

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
from nst.ui.commands import Errand
from nst.ui.run_state import RunState


@dataclass(frozen=True)
class PaintedPicture:
    """A finished picture: its file, the content it was made of, and how."""

    path: Path
    content: Path
    recipe: Recipe
    words: str


@dataclass
class Visitor:
    """One open page. `run` is what it is painting, or painted last; `pictures` are in the order of their making.

    `mask` is where its brush has been, `errand` what it compares, or compared last.
    """

    folder: Path
    pictures: list[PaintedPicture] = field(default_factory=list)
    run: RunState | None = None
    mask: Mask | None = None
    errand: Errand | None = None
    gone: bool = False

    @property
    def busy(self) -> bool:
        """Whether a picture of this page is waiting or being painted."""
        return self.run is not None and not self.run.over


class Visitors:
    """The open pages by their session's name. All they have is under one private folder, gone with `close`."""

    def __init__(self, leave: Callable[[Visitor], object] = lambda visitor: None) -> None:
        self.root = Path(tempfile.mkdtemp(prefix="nst-ui-"))  # rights 0700
        self.cache = self.root / "cache"
        self.cache.mkdir()
        self._leave, self._lock = leave, Lock()
        self._here: dict[str, Visitor] = {}

    def enter(self, session: str | None) -> Visitor:
        """The visitor of a session, made at the first call."""
        name = session or "none"
        with self._lock:
            if name not in self._here:
                self._here[name] = Visitor(Path(tempfile.mkdtemp(prefix="visitor-", dir=self.root)))
            return self._here[name]

    def leave(self, session: str | None) -> None:
        """The page was closed: what it is painting stops, its files go; with the last page all that was uploaded."""
        with self._lock:
            visitor = self._here.pop(session or "none", None)
            empty = not self._here
        if visitor is not None:
            visitor.gone = True
            self._leave(visitor)
            shutil.rmtree(visitor.folder, ignore_errors=True)
        if empty:
            for entry in os.scandir(self.cache):
                shutil.rmtree(entry.path, ignore_errors=True)

    def __len__(self) -> int:
        """How many pages are open."""
        return len(self._here)

    def close(self) -> None:
        """The server ends."""
        for name in list(self._here):
            self.leave(name)
        shutil.rmtree(self.root, ignore_errors=True)
