"""What every command that makes a picture does around the job: check, tell, watch, write."""

from __future__ import annotations

import json
import math
import os
import re
import signal
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from nst import atomic, images, provenance
from nst.checkpoint import Checkpoint, Checkpoints
from nst.cli.host import host
from nst.cli.progress import Watcher, say
from nst.engine import Progress
from nst.errors import Findings, NstError, UserError
from nst.images import Picture, WriteOptions
from nst.job import Job, Result
from nst.plugins import Plugins
from nst.provenance import Record
from nst.recipe import Recipe, load, preset, read
from nst.snapshot import Snapshot

GRACE = 1.0  # seconds in which Ctrl-C counts once: a launcher such as `uv run` passes on what the terminal has sent too
EXIT_CODES = {"finished": 0, "diverged": 1, "interrupted": 130}


class Session:
    """One picture on the command line. `output` is checked before anything is computed."""

    def __init__(
        self,
        output: Path,
        *,
        report: Path | None = None,
        save_every: int = 0,
        checkpoint: Path | None = None,
        checkpoint_every: float = 60,
        quiet: bool = False,
        options: WriteOptions | None = None,
    ) -> None:
        self.output = output
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.report = report
        self.save_every = save_every
        self.quiet = quiet
        self.options = options or WriteOptions()
        self._chosen: set[str] = set()

    def recipe(
        self, given: Mapping[str, Any], name: str | None = None, file: Path | None = None, start: Recipe | None = None
    ) -> tuple[Recipe, list[UserError]]:
        """The recipe of start, preset, file and options, each overriding the last, and what could not be read."""
        found = Findings()
        recipe = start or Recipe()
        for source in (lambda: preset(name) if name else {}, lambda: load(file) if file else {}, lambda: given):
            values, errors = read(found.attempt(source) or {})
            found.add(*errors)
            recipe = recipe.override(**values)
            self._chosen |= values.keys()
        if {"size", "sizes"} <= given.keys():
            found.add(
                UserError("--size and --sizes contradict each other", "give one; --sizes ends at the result's size")
            )
        return recipe, found.errors

    def job(
        self,
        content: str,
        styles: Sequence[str],
        recipe: Recipe,
        mistakes: Sequence[UserError],
        max_pixels: int | None = None,
    ) -> Job:
        """The checked job. Raises every mistake of the call together."""
        found = Findings()
        if max_pixels is not None and max_pixels < 1:
            found.add(UserError(f"--max-pixels must be 1 or more, not {max_pixels}", "leave it out for Pillow's limit"))
            max_pixels = None
        files = filter(os.path.isfile, (recipe.init, *recipe.weights))
        found.add(
            *mistakes, images.check_output(self.output, self.options), *self._own_mistakes([content, *styles], [*files])
        )
        plugins = host()
        found.add(self._not_resumable(plugins, recipe))
        job = Job(content, styles, recipe, plugins, max_pixels=max_pixels, mistakes=found.errors, chosen=self._chosen)
        for option, given in (("--save-every", self.save_every), ("--checkpoint", self.checkpoint)):
            if given and not any(job.steps):
                raise UserError(
                    f"{option} means nothing to '{job.spec.name}', which paints in one pass", "leave it out"
                )
        return job

    def _not_resumable(self, plugins: Plugins, recipe: Recipe) -> UserError | None:
        spec = Findings().attempt(lambda: plugins.find("optimizer", recipe.optimizer)) if self.checkpoint else None
        if spec is None or spec.resumable:
            return None
        others = sorted(each.name for _, each in plugins.offered("optimizer") if each.resumable)
        hint = f"choose from {', '.join(others)}, or leave --checkpoint out"
        return UserError(f"'{spec.name}' cannot go on from a checkpoint", hint)

    def _own_mistakes(self, pictures: Sequence[str], files: Sequence[str]) -> list[UserError]:
        found = Findings()
        if self.save_every < 0:
            found.add(UserError(f"--save-every must be 0 or more, not {self.save_every}", "0 saves only the result"))
        if any(_same(self.output, name) for name in pictures):
            found.add(UserError(f"'{self.output}' is one of the pictures to read", "give the output another name"))
        if self.save_every > 0 and (hit := [name for name in pictures if self._is_snapshot(name)]):
            found.add(UserError(f"--save-every might write over '{hit[0]}'", "give the output another name"))
        others = [*pictures, *files, str(self.output)]
        if self.report is not None:
            found.add(check_writable(self.report))
            if any(_same(self.report, name) for name in others):
                found.add(UserError(f"--report '{self.report}' is another file of this run", "give it another name"))
        if self.checkpoint is not None:
            found.add(check_writable(self.checkpoint), _other(self.checkpoint))
            if any(_same(self.checkpoint, name) for name in [*others, *([str(self.report)] if self.report else [])]):
                found.add(UserError(f"--checkpoint '{self.checkpoint}' is another file of this run", "name another"))
        if not 0 <= self.checkpoint_every < math.inf:
            found.add(
                UserError(
                    f"--checkpoint-every must be 0 seconds or more, not {self.checkpoint_every}", "0 is each step"
                )
            )
        return found.errors

    def _is_snapshot(self, name: str) -> bool:
        pattern = rf"{re.escape(self.output.stem)}-\d{{4,}}{re.escape(self.output.suffix)}"
        return bool(re.fullmatch(pattern, Path(name).name)) and _same(self.output.parent, Path(name).parent)

    def check_size(self, job: Job, max_pixels: int | None) -> None:
        """Raise `UserError` for a result larger than a picture may be: for recipes from elsewhere."""
        height, width = job.shapes()[-1]
        if height * width > (images.MAX_PIXELS if max_pixels is None else max_pixels):
            raise UserError(f"the picture would have {height * width:,} pixels", "give a --size, or raise --max-pixels")

    def run(self, job: Job, resume: Snapshot | None = None, was: Record | None = None) -> int:
        """Run, show how it goes, write the picture and the report; the exit code.

        `was` is the record of the run to go on with (from `resume`) or to do again.
        """
        with _interrupted_once():
            result, record = self._painted(job, resume, was)
            self._save(result, record, job.content)
        return EXIT_CODES[result.stopped]

    def _painted(self, job: Job, resume: Snapshot | None, was: Record | None) -> tuple[Result, Record]:
        try:
            record = self._record(job, resume, was)
            keep = self._checkpoints(record)
            if not self.quiet:
                announce(job)
                if self.options.keep_profile and job.content.profile is None:
                    say("--keep-profile: the content brings no RGB profile to go back to; sRGB it is")
            with Watcher(job, quiet=self.quiet) as watcher:
                try:
                    result = job.run(lambda progress: self._step(watcher, keep, progress), resume)
                    signal.signal(signal.SIGINT, signal.SIG_IGN)  # now there is a picture to lose, and nothing to stop
                finally:
                    keep.write()
        except KeyboardInterrupt:
            raise KeyboardInterrupt("no picture was written") from None
        watcher.tell(result.notes[len(job.notes()) :])
        return result, record

    def _record(self, job: Job, resume: Snapshot | None, was: Record | None) -> Record:
        """What this run is, after what is not as it was has been told; a run that goes on is what it has been."""
        record = provenance.record(job, self.options)
        if was is None:
            return record
        if resume is not None and (other := provenance.foreign(was, record)):
            raise UserError(f"the weights {other[0]} are not those of this run", "put back those it was begun with")
        for change in provenance.changes(was, record):
            say(change)
        return record if resume is None else replace(was, versions=record.versions, options=self.options)

    def _checkpoints(self, record: Record) -> Checkpoints:
        about = {"record": record.to_dict(), "folder": os.getcwd(), "output": os.path.abspath(self.output)}
        return Checkpoints(self.checkpoint, about, self.checkpoint_every, say)

    def _step(self, watcher: Watcher, keep: Checkpoints, progress: Progress) -> None:
        watcher.show(progress)
        keep(progress)
        if self.save_every and progress.step % self.save_every == 0:
            name = f"{self.output.stem}-{progress.step:04d}{self.output.suffix}"
            try:
                images.write(self.output.with_name(name), progress.pixels())
            except NstError as error:  # the result may still find its place
                say(f"step {progress.step} is not saved: {error.message}")

    def _save(self, result: Result, record: Record, content: Picture) -> None:
        text = {"nst": json.dumps(record.to_dict())}
        images.write(self.output, result.pixels, alpha=result.alpha, text=text, like=content, options=self.options)
        if self.report is not None:
            write_report(self.report, result, record)
        if not self.quiet or result.stopped != "finished":
            say(f"{summary(result)}: {self.output}")


def announce(job: Job) -> None:
    """The first lines: what will run where, and what is worth knowing about it."""
    backend = job.open()
    pairs = zip(job.sizes, job.steps, strict=True)
    sizes = " → ".join(f"{size} px × {steps}" if steps else f"{size} px in one pass" for size, steps in pairs)
    say(f"{job.recipe.backend} on {backend.device}, weights {job.weights.name}, {backend.precision}; {sizes}")
    for note in job.notes():
        say(note)


def report(result: Result, record: Record) -> dict[str, Any]:
    """Everything about a run, for `--report`."""
    rest = {"stopped": result.stopped, "notes": result.notes, "history": result.history}
    made = {"versions": record.versions, "inputs": [asdict(each) for each in record.inputs], "hashes": record.weights}
    return {**result.facts, **made, "recipe": result.recipe.to_dict(), **rest}


def write_report(path: Path, result: Result, record: Record) -> None:
    """Write the report of a run as JSON, to a file or to what is no file (`/dev/stdout`). Raises `NstError`."""
    text = json.dumps(report(result, record), indent=2) + "\n"
    try:
        if path.exists() and not path.is_file():
            path.write_text(text)
        else:
            atomic.replace(path, lambda file: file.write(text.encode()))
    except OSError as error:
        raise NstError(f"cannot write '{path}': {error.strerror}", "the picture itself is written") from error


def summary(result: Result) -> str:
    """How the run ended, in a line."""
    seconds, memory = result.facts["seconds"], result.facts["peak_memory"]
    work = f"{len(result.history)} steps" if result.history else "one pass"
    cost = f"{work} in {seconds:.0f} s" + (f", {memory / 1e9:.1f} GB at most" if memory else "")
    height, width = result.pixels.shape[:2]
    words = {"finished": "done", "diverged": "stopped where the loss was still finite", "interrupted": "interrupted"}
    return f"{words[result.stopped]}, {width}×{height}, {cost}"


def check_writable(path: Path) -> UserError | None:
    """What would stop writing a file at `path`."""
    if os.path.isdir(path):
        return UserError(f"'{path}' is a folder", "give a file name")
    try:
        with suppress(FileNotFoundError):
            os.stat(path)  # a name too long
        with tempfile.TemporaryFile(dir=path.parent):
            return None
    except OSError as error:
        return UserError(f"cannot write '{path}': {error.strerror}", "choose a folder that exists and can be written")


def _other(path: Path) -> UserError | None:
    """The error for a file that is none of those which a checkpoint may be written over."""
    if not os.path.isfile(path) or Findings().attempt(lambda: Checkpoint(path)):
        return None
    return UserError(f"--checkpoint '{path}' is there, and is no checkpoint", "give it another name")


def _same(path: Path, other: str | Path) -> bool:
    """Whether two paths lead to one file, be it there or yet to be made."""
    if os.path.exists(path) and os.path.exists(other):
        return os.path.samefile(path, other)
    try:
        return os.path.realpath(path) == os.path.realpath(other)
    except OSError:  # the current folder is gone
        return False


@contextmanager
def _interrupted_once() -> Iterator[None]:
    """Ctrl-C, and again right after, is one Ctrl-C: the second must not cost the picture that the first asks for.

    After it the process is on its way out, and Ctrl-C does nothing any more.
    """
    heard = -math.inf

    def hear(*_: object) -> None:
        nonlocal heard
        since, heard = time.monotonic() - heard, time.monotonic()
        if since > GRACE:
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, hear)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if heard == -math.inf else signal.SIG_IGN)


__all__ = ["NstError", "Session", "host", "say"]
