"""Download the files of a job from shared storage, and upload the result."""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from nst.errors import NstError
from nst.io import remote
from nst.job.inputs import Sources
from nst.orders import StyleSource


class Staging:
    """A temporary folder for the files behind URLs, deleted on exit; local paths are left alone.

    `names` maps the paths in the folder to their URLs.
    """

    def __init__(self) -> None:
        self.names: dict[str, str] = {}
        self._folder = ""

    def __enter__(self) -> Staging:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._folder, ignore_errors=True)
        if isinstance(error, NstError):
            for local, url in self.names.items():
                error.message = error.message.replace(local, url)

    def place(self, path: str) -> str:
        """Return a path in the folder for a URL; a local path is returned as it is."""
        if not remote.is_url(path):
            return path
        self._folder = self._folder or tempfile.mkdtemp(prefix="nst-")
        folder = Path(self._folder) / str(len(self.names))
        folder.mkdir()
        local = str(folder / posixpath.basename(path))
        self.names[local] = path
        return local

    def bring(self, path: str) -> str:
        """Download a URL and return its local path. Raises `UserError`."""
        local = self.place(path)
        if local != path:
            remote.fetch(path, Path(local))
        return local

    def sources(self, sources: Sources) -> Sources:
        """Download every URL among the sources, and return the local sources. Raises `UserError`."""
        masks = [(self.bring(mask), self._styles(styles)) for mask, styles in sources.masks]
        protect = self.bring(sources.protect) if sources.protect else sources.protect
        return replace(
            sources,
            content=self.bring(sources.content),
            styles=self._styles(sources.styles),
            masks=masks,
            protect=protect,
        )

    def _styles(self, styles: Iterable[StyleSource]) -> list[StyleSource]:
        return [
            self.bring(style) if isinstance(style, str) else [self.bring(path) for path in style] for style in styles
        ]

    def send(self, local: str) -> None:
        """Upload a file of the folder to its URL. Raises `UserError`."""
        if local in self.names:
            remote.write(self.names[local], Path(local))
