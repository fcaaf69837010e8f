"""Files from shared storage, brought near while a picture is made of them, and the picture sent back."""

from __future__ import annotations

import posixpath
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType

from nst.errors import NstError
from nst.io import remote
from nst.job.inputs import Sources
from nst.orders import StyleSource


class Staging:
    """A private folder for the files behind URLs, gone in the end; paths that are no URLs stay what they are.

    `names` are the URLs by what stands for them here.
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
        """Where a file may lie here under its own name."""
        if not remote.is_url(path):
            return path
        self._folder = self._folder or tempfile.mkdtemp(prefix="nst-")
        folder = Path(self._folder) / str(len(self.names))
        folder.mkdir()
        local = str(folder / posixpath.basename(path))
        self.names[local] = path
        return local

    def bring(self, path: str) -> str:
        """A file, here. Raises `UserError`."""
        local = self.place(path)
        if local != path:
            remote.fetch(path, Path(local))
        return local

    def sources(self, wanted: Sources) -> Sources:
        """All of them, here. Raises `UserError`."""
        masks = [(self.bring(mask), self._styles(styles)) for mask, styles in wanted.masks]
        protect = self.bring(wanted.protect) if wanted.protect else wanted.protect
        return Sources(self.bring(wanted.content), self._styles(wanted.styles), masks, protect)

    def _styles(self, styles: Iterable[StyleSource]) -> list[StyleSource]:
        return [self.bring(each) if isinstance(each, str) else [self.bring(work) for work in each] for each in styles]

    def send(self, local: str) -> None:
        """Put what lies here where it belongs. Raises `UserError`."""
        if local in self.names:
            remote.write(self.names[local], Path(local))
