"""What every command that makes a picture does around the job: check, tell, watch, write."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from nst import images
from nst.cli.host import host
from nst.cli.interrupt import ignore_interrupts, interrupted_once
from nst.cli.outputs import check_writable, other_file, same
from nst.cli.progress import Watcher, say
from nst.cli.saving import Saving, once
from nst.engine.level_run import Progress
from nst.engine.snapshot import Snapshot
from nst.errors import Findings, NstError, UserError
from nst.estimate.text import format_estimate
from nst.images import WriteOptions, timelapse
from nst.images.timelapse import Timelapse
from nst.io import atomic
from nst.job.inputs import Sources
from nst.job.job import Job, Result
from nst.persistence.provenance import Record
from nst.persistence.recorded_job import CheckpointPolicy, EarlierRun, RecordedJob
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe, load, preset, read
from nst.recipe.schedule import schedule_note

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
        timelapse: Path | None = None,
        quiet: bool = False,
        options: WriteOptions | None = None,
    ) -> None:
        self.output = output
        self.checkpoint = checkpoint
        self.checkpoint_every = checkpoint_every
        self.report = report
        self.save_every = save_every
        self.timelapse = timelapse
        self.quiet = quiet
        self.options = options or WriteOptions()
        self._say = once(say)
        self._chosen: set[str] = set()
        self._notes: list[str] = []

    def recipe(
        self, given: Mapping[str, Any], name: str | None = None, file: Path | None = None, start: Recipe | None = None
    ) -> tuple[Recipe, list[UserError]]:
        """Return the recipe of start, preset, file and options, each overriding the last, and the errors of reading."""
        found = Findings()
        recipe = start or Recipe()
        for source in (lambda: preset(name) if name else {}, lambda: load(file) if file else {}, lambda: given):
            values, errors = read(found.attempt(source) or {})
            found.add(*errors)
            older, recipe = recipe, recipe.override(**values)
            if "sizes" not in values and (note := schedule_note(older, recipe)):
                self._notes.append(note)
            self._chosen |= values.keys()
        for name in ("size", "levels"):
            if {name, "sizes"} <= given.keys():
                hint = "give one; --sizes names every size, the result's last"
                found.add(UserError(f"--{name} and --sizes contradict each other", hint))
        return recipe, found.errors

    def job(
        self,
        sources: Sources,
        recipe: Recipe,
        mistakes: Sequence[UserError],
        max_pixels: int | None = None,
    ) -> Job:
        """Return the checked job. Raises every mistake of the call together."""
        found = Findings()
        if max_pixels is not None and max_pixels < 1:
            found.add(UserError(f"--max-pixels must be 1 or more, not {max_pixels}", "leave it out for 89 million"))
            max_pixels = None
        files = filter(os.path.isfile, (recipe.init, *recipe.weights))
        plugins = host()
        found.add(*mistakes, images.check_output(self.output, self.options))
        found.add(*self._own_mistakes(sources.files(), [*files]), self._not_resumable(plugins, recipe))
        sources = replace(sources, max_pixels=max_pixels)
        job = Job(sources, recipe, plugins, errors=found.errors, chosen=self._chosen, notes=self._notes)
        one_pass = ("--save-every", self.save_every), ("--checkpoint", self.checkpoint), ("--timelapse", self.timelapse)
        for option, given in one_pass:
            if given and not any(job.steps):
                raise UserError(
                    f"{option} means nothing to '{job.spec.name}', which stylizes in one pass", "leave it out"
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
        if any(same(self.output, name) for name in pictures):
            found.add(UserError(f"'{self.output}' is one of the pictures to read", "give the output another name"))
        if self.save_every > 0 and (hit := [name for name in pictures if self._is_snapshot(name)]):
            found.add(UserError(f"--save-every might write over '{hit[0]}'", "give the output another name"))
        others = [*pictures, *files, str(self.output)]
        written = ("--report", self.report), ("--timelapse", self.timelapse), ("--checkpoint", self.checkpoint)
        for option, path in written:
            if path is not None:
                found.add(check_writable(path))
                if any(same(path, name) for name in others):
                    found.add(UserError(f"{option} '{path}' is another file of this run", "give it another name"))
                others.append(str(path))
        if self.timelapse is not None:
            found.add(timelapse.check(self.timelapse))
        if self.checkpoint is not None:
            found.add(other_file(self.checkpoint))
        if not 0 <= self.checkpoint_every < math.inf:
            wrong = f"--checkpoint-every must be 0 seconds or more, not {self.checkpoint_every}"
            found.add(UserError(wrong, "0 is each step"))
        return found.errors

    def _is_snapshot(self, name: str) -> bool:
        pattern = rf"{re.escape(self.output.stem)}-\d{{4,}}{re.escape(self.output.suffix)}"
        return bool(re.fullmatch(pattern, Path(name).name)) and same(self.output.parent, Path(name).parent)

    def check_size(self, job: Job, max_pixels: int | None) -> None:
        """Raise `UserError` for a result larger than a picture may be: for recipes from elsewhere."""
        height, width = job.shapes()[-1]
        if height * width > (images.MAX_PIXELS if max_pixels is None else max_pixels):
            raise UserError(f"the picture would have {height * width:,} pixels", "give a --size, or raise --max-pixels")

    def run(self, job: Job, resume: Snapshot | None = None, was: Record | None = None) -> int:
        """Run, show how it goes, write the picture and the report; the exit code.

        `was` is the record of the run to go on with (from `resume`) or to do again.
        """
        with interrupted_once():
            keeping = CheckpointPolicy(self.checkpoint, self.checkpoint_every)
            earlier = EarlierRun(was, resume) if was else None
            making = RecordedJob(job, self.output, self.options, keeping, earlier, self._say)
            film = Timelapse(self.timelapse, sum(job.steps)) if self.timelapse else None
            saving = Saving(making, self.save_every, film, self._say)
            result = self._painted(making, saving)
            self._save(making, saving, result, film)
        return EXIT_CODES[result.stopped]

    def _painted(self, making: RecordedJob, saving: Saving) -> Result:
        job = making.job
        try:
            making.prepare()
            if not self.quiet:
                announce(job, making.resume)
                if self.options.keep_profile and job.content.profile is None:
                    say("--keep-profile: the content brings no RGB profile to go back to; sRGB it is")
            elif self.report is not None:
                job.estimate(making.resume)
            with Watcher(job, quiet=self.quiet) as watcher:
                # once there is a picture to lose, there is nothing to stop
                result = making.stylize(lambda progress: _step(progress, watcher.show, saving.step), ignore_interrupts)
        except KeyboardInterrupt:
            raise KeyboardInterrupt("no picture was written") from None
        watcher.tell(result.notes[len(job.notes()) :])
        return result

    def _save(self, making: RecordedJob, saving: Saving, result: Result, film: Timelapse | None) -> None:
        """Write everything. Raises `NstError` for what could not be, once all else is."""
        besides: list[Callable[[], object]] = []
        if self.report is not None:
            besides.append(partial(write_report, self.report, making.report(result)))
        if film is not None:
            besides.append(partial(film.write, result.pixels))
        wrong = saving.finish(result, *besides)
        if not self.quiet or result.stopped != "finished":
            say(summary(result, "" if wrong else str(self.output)))
        for error in wrong[1:]:
            say(error.message)
        if wrong:
            raise wrong[0]


def _step(progress: Progress, *watching: Callable[[Progress], object]) -> None:
    for watch in watching:
        watch(progress)


def announce(job: Job, resume: Snapshot | None = None) -> None:
    """Print the first lines: device, weights, notes and the estimate."""
    backend = job.open()
    pairs = zip(job.sizes, job.steps, strict=True)
    sizes = " → ".join(f"{size} px × {steps}" if steps else f"{size} px in one pass" for size, steps in pairs)
    weights = _changing(job.weights_per_size(), job.sizes)
    say(f"{job.recipe.backend} on {backend.device}, weights {weights}, {backend.precision}; {sizes}")
    for note in job.notes():
        say(note)
    if line := format_estimate(job.estimate(resume)):
        say(line)


def _changing(weights: Sequence[str], sizes: Sequence[int]) -> str:
    """`compact, imagenet from 512 px`: the weights of the sizes, and from which on they are others."""
    changes = [i for i, name in enumerate(weights) if i and name != weights[i - 1]]
    return ", ".join([weights[0], *(f"{weights[i]} from {sizes[i]} px" for i in changes)])


def write_report(path: Path, found: Mapping[str, Any]) -> None:
    """Write the report of a run, to a file or to what is no file (`/dev/stdout`). Raises `NstError`."""
    data = rendered(path, found)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            atomic.replace(path, lambda file: file.write(data))
    except OSError as error:
        raise NstError(f"cannot write '{path}': {error.strerror}", "the picture itself is written") from error


def rendered(path: Path, found: Mapping[str, Any]) -> bytes:
    """Return a run's report in the format of its file name: a page, a picture, or JSON."""
    if path.suffix.lower() == ".html":
        from nst.reports import run_page

        return run_page.render(found).encode(errors="replace")  # half a character of JSON is none of UTF-8
    if path.suffix.lower() == ".png":
        from nst.reports import run_plot

        return run_plot.png(found)
    return (json.dumps(found, indent=2) + "\n").encode()


ENDS = {"finished": "Finished", "diverged": "Stopped at the last finite loss", "interrupted": "Interrupted"}


def summary(result: Result, output: str = "") -> str:
    """Return the last line of a run: `Saved out.png (512×384): 145 steps, 15 s, peak memory 0.9 GB`."""
    seconds, memory = result.facts["seconds"], result.facts["peak_memory"]
    steps = f"{len(result.history)} steps" if result.history else "one pass"
    saved = sum(result.facts["steps"]) - len(result.history)
    if saved and result.recipe.until and result.stopped == "finished":
        steps += f" ({saved} fewer than planned)"
    height, width = result.pixels.shape[:2]
    end = ENDS[result.stopped]
    if output:
        end = f"Saved {output}" if result.stopped == "finished" else f"{end}; saved {output}"
    peak = f", peak memory {memory / 1e9:.1f} GB" if memory else ""
    return f"{end} ({width}×{height}): {steps}, {seconds:.0f} s{peak}"


__all__ = ["NstError", "Session", "host", "say"]
