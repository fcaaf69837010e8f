"""Write the pictures of a run: the result, every Nth step, and the frames of the film."""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from nst.engine.level_run import Progress
from nst.errors import NstError
from nst.images.timelapse import Timelapse
from nst.job.job import Result
from nst.persistence.recorded_job import RecordedJob
from nst.protocols import Pixels

Say = Callable[[str], object]


def once(say: Say) -> Say:
    """Return a `say` that prints each message once: a full disk is reported once, not at each step."""
    printed: set[str] = set()

    def say_new(line: str) -> None:
        gist = re.sub(r"\d+", "", line)
        if gist not in printed:
            printed.add(gist)
            say(line)

    return say_new


class PictureWriter:
    """Writes the result of a run and every so many of its steps (0 for none), and adds frames to its film.

    Steps are colored and written like the result, but carry no record: the record is that of the result. `saved` are
    the pictures of steps written so far.
    """

    def __init__(self, recorded: RecordedJob, every: int, film: Timelapse | None, say: Say) -> None:
        self._recorded, self._every, self._film, self._say = recorded, every, film, say
        self.saved: list[Path] = []

    def step(self, progress: Progress) -> None:
        """Save what is due of a step. A failure is reported and the run continues: its result may find a place."""
        for save in self._due(progress):
            try:
                save(self._recorded.job.finished(progress.pixels()))
            except (NstError, MemoryError) as error:
                reason = error.message if isinstance(error, NstError) else "not enough memory"
                self._say(f"step {progress.step} is not saved: {reason}")

    def _due(self, progress: Progress) -> Iterator[Callable[[Pixels], object]]:
        output = self._recorded.output
        if self._film is not None and self._film.wants(progress.step):
            yield self._film.add
        if self._every and progress.step % self._every == 0:
            path = output.with_name(f"{output.stem}-{progress.step:04d}{output.suffix}")
            yield lambda pixels: self.saved.append(self._recorded.write(pixels, path, carries=False))

    def finish(self, result: Result, *besides: Callable[[], object]) -> list[NstError]:
        """Write the picture, then the files beside it, each even if another failed. Return the errors."""
        errors = []
        for write in (lambda: self._write_result(result.pixels), *besides):
            try:
                write()
            except NstError as error:
                errors.append(error)
        return errors

    def _write_result(self, pixels: Pixels) -> None:
        """Write the picture to its output. If that fails, write it to a temporary folder and raise where it is."""
        try:
            self._recorded.write(pixels)
        except NstError as error:
            folder = tempfile.mkdtemp(prefix="nst-")
            try:
                path = self._recorded.write(pixels, Path(folder) / self._recorded.output.name)
            except NstError:
                os.rmdir(folder)
                raise NstError(error.message, f"the picture is lost: {folder} has no room for it either") from error
            raise NstError(error.message, f"the picture is at {path}: move it to a disk with free space") from error
