"""What a run leaves behind: its picture, those of its steps, and what comes beside them. None of the rest costs it."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from nst import images
from nst.engine import Progress
from nst.errors import NstError
from nst.images import WriteOptions
from nst.job import Job, Result
from nst.protocols import Pixels
from nst.provenance import Record
from nst.timelapse import Timelapse

Say = Callable[[str], object]


def once(say: Say) -> Say:
    """A `say` that says nothing twice, be it of another step: a disk that is full is so at each."""
    told: set[str] = set()

    def new(line: str) -> None:
        gist = re.sub(r"\d+", "", line)
        if gist not in told:
            told.add(gist)
            say(line)

    return new


class Saving:
    """Writes the pictures of a job's run: of every so many steps, 0 for none, and the finished one; and fills its film.

    Steps are colored and written as the finished picture is, but do not carry how it was made: it is not how they were.
    """

    def __init__(
        self, job: Job, output: Path, options: WriteOptions, every: int, film: Timelapse | None, say: Say
    ) -> None:
        self._job, self._output, self._options = job, output, options
        self._every, self._film, self._say = every, film, say

    def step(self, progress: Progress) -> None:
        """Keep what is due of a step. What cannot be kept is said: the run goes on, and its result may find a place."""
        for keep in self._due(progress):
            try:
                keep(self._job.finished(progress.pixels()))
            except (NstError, MemoryError) as error:
                why = error.message if isinstance(error, NstError) else "not enough memory"
                self._say(f"step {progress.step} is not saved: {why}")

    def _due(self, progress: Progress) -> Iterator[Callable[[Pixels], object]]:
        if self._film is not None and self._film.wants(progress.step):
            yield self._film.add
        if self._every and progress.step % self._every == 0:
            name = f"{self._output.stem}-{progress.step:04d}{self._output.suffix}"
            yield lambda pixels: self._write(self._output.with_name(name), pixels)

    def finish(self, result: Result, record: Record, *besides: Callable[[], object]) -> list[NstError]:
        """Write the picture, then what comes `besides` it, each whatever became of the others; what went wrong."""
        wrong = []
        for write in (lambda: self._finish(result.pixels, {"nst": json.dumps(record.to_dict())}), *besides):
            try:
                write()
            except NstError as error:
                wrong.append(error)
        return wrong

    def _finish(self, pixels: Pixels, text: Mapping[str, str]) -> None:
        """Write the picture where it belongs; if that cannot be, where it is not lost, and raise that it is there."""
        try:
            self._write(self._output, pixels, text)
        except NstError as error:
            folder = tempfile.mkdtemp(prefix="nst-")
            try:
                place = self._write(Path(folder) / self._output.name, pixels, text)
            except NstError:
                os.rmdir(folder)
                raise NstError(error.message, f"the picture is lost: there is no room in {folder} either") from error
            raise NstError(error.message, f"the picture is at {place}: move it to where there is room") from error

    def _write(self, path: Path, pixels: Pixels, text: Mapping[str, str] | None = None) -> Path:
        alpha = self._job.alpha(pixels.shape[:2])
        return images.write(path, pixels, alpha=alpha, text=text, like=self._job.content, options=self._options)
