"""What a run leaves behind: its picture, those of its steps, and what comes beside them. None of the rest costs it."""

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
    told: set[str] = set()

    def new(line: str) -> None:
        gist = re.sub(r"\d+", "", line)
        if gist not in told:
            told.add(gist)
            say(line)

    return new


class Saving:
    """Writes the pictures of a run: of every so many steps, 0 for none, and the finished one; and fills its film.

    Steps are colored and written as the finished picture is, but do not carry how it was made: it is not how they were.
    """

    def __init__(self, making: RecordedJob, every: int, film: Timelapse | None, say: Say) -> None:
        self._making, self._every, self._film, self._say = making, every, film, say

    def step(self, progress: Progress) -> None:
        """Keep what is due of a step. What cannot be kept is said: the run goes on, and its result may find a place."""
        for keep in self._due(progress):
            try:
                keep(self._making.job.finished(progress.pixels()))
            except (NstError, MemoryError) as error:
                why = error.message if isinstance(error, NstError) else "not enough memory"
                self._say(f"step {progress.step} is not saved: {why}")

    def _due(self, progress: Progress) -> Iterator[Callable[[Pixels], object]]:
        output = self._making.output
        if self._film is not None and self._film.wants(progress.step):
            yield self._film.add
        if self._every and progress.step % self._every == 0:
            place = output.with_name(f"{output.stem}-{progress.step:04d}{output.suffix}")
            yield lambda pixels: self._making.write(pixels, place, carries=False)

    def finish(self, result: Result, *besides: Callable[[], object]) -> list[NstError]:
        """Write the picture, then what comes `besides` it, each whatever became of the others; what went wrong."""
        wrong = []
        for write in (lambda: self._finish(result.pixels), *besides):
            try:
                write()
            except NstError as error:
                wrong.append(error)
        return wrong

    def _finish(self, pixels: Pixels) -> None:
        """Write the picture where it belongs; if that cannot be, where it is not lost, and raise that it is there."""
        try:
            self._making.write(pixels)
        except NstError as error:
            folder = tempfile.mkdtemp(prefix="nst-")
            try:
                place = self._making.write(pixels, Path(folder) / self._making.output.name)
            except NstError:
                os.rmdir(folder)
                raise NstError(error.message, f"the picture is lost: there is no room in {folder} either") from error
            raise NstError(error.message, f"the picture is at {place}: move it to where there is room") from error
