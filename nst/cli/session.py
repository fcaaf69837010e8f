"""One run on the command line: check the call, announce the run, show its steps and write its files."""

from __future__ import annotations

import json
import math
import os
import re
import shlex
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from nst import images
from nst.cli.consent import require_consent
from nst.cli.host import host
from nst.cli.interrupt import ignore_interrupts, interrupted_once
from nst.cli.outputs import check_writable, other_file, same
from nst.cli.progress import Watcher, say
from nst.cli.saving import PictureWriter, once
from nst.engine.level_run import Progress
from nst.engine.snapshot import Snapshot
from nst.errors import Findings, NstError, UserError
from nst.estimate.text import format_estimate
from nst.images import WriteOptions, timelapse
from nst.images.timelapse import Timelapse
from nst.io import atomic
from nst.job.inputs import Sources
from nst.job.job import Job, Result
from nst.job.limits import is_large
from nst.persistence.provenance import Record
from nst.persistence.recorded_job import CheckpointPolicy, EarlierRun, RecordedJob
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe, load_recipe, preset, read_fields
from nst.recipe.schedule import schedule_note

EXIT_CODES = {"finished": 0, "diverged": 1, "interrupted": 130}


@dataclass
class Session:
    """One picture on the command line: the files to write and how to show the run.

    `checkpoint_every` is in seconds. With `save_every` above 0, every so many steps are saved too. `yes` starts a run
    of more than an hour without a question.
    """

    output: Path
    report: Path | None = None
    save_every: int = 0
    checkpoint: Path | None = None
    checkpoint_every: float = 60
    timelapse: Path | None = None
    yes: bool = False
    quiet: bool = False
    verbose: bool = False
    options: WriteOptions = field(default_factory=WriteOptions)

    def __post_init__(self) -> None:
        self._say = once(say)
        self._chosen: set[str] = set()
        self._notes: list[str] = []

    def recipe(
        self, values: Mapping[str, Any], name: str | None = None, file: Path | None = None, start: Recipe | None = None
    ) -> tuple[Recipe, list[UserError]]:
        """Return the recipe and the errors of reading it.

        The preset `name` overrides `start`, the recipe `file` overrides the preset, and `values` override the file.
        """
        findings = Findings()
        recipe = start or Recipe()
        for source in (lambda: preset(name) if name else {}, lambda: load_recipe(file) if file else {}, lambda: values):
            readable, errors = read_fields(findings.attempt(source) or {})
            findings.add(*errors)
            older, recipe = recipe, recipe.override(**readable)
            if "sizes" not in readable and (note := schedule_note(older, recipe)):
                self._notes.append(note)
            self._chosen |= readable.keys()
        for option in ("size", "levels"):
            if {option, "sizes"} <= values.keys():
                hint = "give one of them; the last of --sizes is the size of the result"
                findings.add(UserError(f"--{option} and --sizes contradict each other", hint))
        return recipe, findings.errors

    def job(
        self, sources: Sources, recipe: Recipe, mistakes: Sequence[UserError], max_pixels: int | None = None
    ) -> Job:
        """Return the checked job. Raises every mistake of the call together."""
        findings = Findings()
        if max_pixels is not None and max_pixels < 1:
            findings.add(UserError(f"--max-pixels must be 1 or more, not {max_pixels}", "leave it out for 89 million"))
            max_pixels = None
        plugins = host()
        findings.add(*mistakes, images.check_output(self.output, self.options))
        findings.add(*self._file_errors(sources, recipe), self._not_resumable(plugins, recipe))
        if error := _strength_error(plugins, recipe):
            findings.add(error)
            options = {name: value for name, value in recipe.backend_options.items() if name != "strength"}
            recipe = replace(recipe, backend_options=options)
        sources = replace(sources, max_pixels=max_pixels)
        job = Job(sources, recipe, plugins, errors=findings.errors, chosen=self._chosen, notes=self._notes)
        if not any(job.steps):
            self._refuse_step_options(job.spec.name)
        return job

    def _refuse_step_options(self, backend: str) -> None:
        """Raise `UserError` for an option that a backend without steps cannot honor."""
        options = ("--save-every", self.save_every), ("--checkpoint", self.checkpoint), ("--timelapse", self.timelapse)
        for option, value in options:
            if value:
                raise UserError(f"{option} means nothing to '{backend}', which stylizes in one pass", "leave it out")

    def _not_resumable(self, plugins: Plugins, recipe: Recipe) -> UserError | None:
        """Return the error for a checkpoint of an optimizer that cannot resume, or None."""
        spec = Findings().attempt(lambda: plugins.find("optimizer", recipe.optimizer)) if self.checkpoint else None
        if spec is None or spec.resumable:
            return None
        resumable = sorted(spec.name for _, spec in plugins.offered("optimizer") if spec.resumable)
        hint = f"choose from {', '.join(resumable)}, or leave --checkpoint out"
        return UserError(f"'{spec.name}' cannot go on from a checkpoint", hint)

    def _file_errors(self, sources: Sources, recipe: Recipe) -> list[UserError]:
        """Return the errors of the files to write: not writable, or the same as another file of the run."""
        findings, pictures = Findings(), sources.files()
        if self.save_every < 0:
            findings.add(UserError(f"--save-every must be 0 or more, not {self.save_every}", "0 saves only the result"))
        if any(same(self.output, name) for name in pictures):
            findings.add(UserError(f"'{self.output}' is one of the pictures to read", "give the output another name"))
        if self.save_every > 0 and (overwritten := [name for name in pictures if self._is_saved_step(name)]):
            message = f"--save-every might write over '{overwritten[0]}'"
            findings.add(UserError(message, "give the output another name"))
        others = [*pictures, *filter(os.path.isfile, (recipe.init, *recipe.weights)), str(self.output)]
        for option, path in self._beside():
            findings.add(check_writable(path))
            if any(same(path, name) for name in others):
                findings.add(UserError(f"{option} '{path}' is another file of this run", "give it another name"))
            others.append(str(path))
        if self.timelapse is not None:
            findings.add(timelapse.check(self.timelapse))
        if self.checkpoint is not None:
            findings.add(other_file(self.checkpoint))
        if not 0 <= self.checkpoint_every < math.inf:
            message = f"--checkpoint-every must be 0 seconds or more, not {self.checkpoint_every}"
            findings.add(UserError(message, "0 is each step"))
        return findings.errors

    def _beside(self) -> list[tuple[str, Path]]:
        """Return the files to write beside the picture, each with its option."""
        files = ("--report", self.report), ("--timelapse", self.timelapse), ("--checkpoint", self.checkpoint)
        return [(option, path) for option, path in files if path is not None]

    def _is_saved_step(self, name: str) -> bool:
        pattern = rf"{re.escape(self.output.stem)}-\d{{4,}}{re.escape(self.output.suffix)}"
        return bool(re.fullmatch(pattern, Path(name).name)) and same(self.output.parent, Path(name).parent)

    def check_size(self, job: Job, max_pixels: int | None) -> None:
        """Raise `UserError` for a result with too many pixels: for recipes from elsewhere."""
        height, width = job.shapes()[-1]
        if height * width > (images.MAX_PIXELS if max_pixels is None else max_pixels):
            raise UserError(f"the picture would have {height * width:,} pixels", "give a --size, or raise --max-pixels")

    def run(self, job: Job, resume: Snapshot | None = None, record: Record | None = None) -> int:
        """Announce the run, run it, show its steps and write its files. Return the exit code.

        `record` is the record of the run to resume (from the snapshot `resume`) or to repeat.
        """
        with interrupted_once():
            policy = CheckpointPolicy(self.checkpoint, self.checkpoint_every)
            earlier = EarlierRun(record, resume) if record else None
            recorded = RecordedJob(job, self.output, self.options, policy, earlier, self._say)
            film = Timelapse(self.timelapse, sum(job.steps)) if self.timelapse else None
            pictures = PictureWriter(recorded, self.save_every, film, self._say)
            try:
                recorded.prepare()
                if not self.quiet:
                    announce(job, resume, self.options)
                elif self.report is not None:
                    job.estimate(resume)
                if not self.quiet or is_large(job.sizes, job.steps):
                    require_consent(job.estimate(resume).seconds, self.yes)
                with Watcher(job, quiet=self.quiet, verbose=self.verbose) as watcher:
                    result = recorded.stylize(_both(watcher.show, pictures.step), ignore_interrupts)
            except KeyboardInterrupt:
                raise KeyboardInterrupt("no picture was written") from None
            watcher.tell(result.notes[len(job.notes()) :])
            self._write(recorded, pictures, result, film)
        return EXIT_CODES[result.stopped]

    def _write(self, recorded: RecordedJob, pictures: PictureWriter, result: Result, film: Timelapse | None) -> None:
        """Write the picture, the report and the film, and name them. Raises `NstError` for a file not written."""
        besides: list[Callable[[], object]] = []
        if self.report is not None:
            besides.append(partial(write_report, self.report, recorded.report(result)))
        if film is not None:
            besides.append(partial(film.write, result.pixels))
        errors = pictures.finish(result, *besides)
        for warning in result.warnings:
            say(f"warning: {warning}")
        if not self.quiet or result.stopped != "finished":
            say(format_result(result, "" if errors else str(self.output)))
            for line in self._files_line(pictures.saved, errors), self._resume_line(result):
                if line:
                    say(line)
        for error in errors[1:]:
            say(error.message)
        if errors:
            raise errors[0]

    def _files_line(self, steps: Sequence[Path], errors: Sequence[NstError]) -> str:
        """Return the names of the files written beside the picture, or "" if there are none or one failed."""
        paths = [path for _, path in self._beside() if path.exists()]
        numbered = [f"{steps[0]} … {steps[-1]}"] if len(steps) > 2 else steps
        names = map(str, [*paths, *numbered])
        return f"Also saved: {', '.join(names)}" if (paths or steps) and not errors else ""

    def _resume_line(self, result: Result) -> str:
        """Return the command that continues an interrupted run, or "" if there is none."""
        if result.stopped != "interrupted" or self.checkpoint is None or not self.checkpoint.exists():
            return ""
        return f"To continue: nst resume {shlex.quote(str(self.checkpoint))}"


def _strength_error(plugins: Plugins, recipe: Recipe) -> UserError | None:
    """Return the error for `--strength` with a backend that has no such option, or None."""
    spec = Findings().attempt(lambda: plugins.find("backend", recipe.backend))
    if spec is None or "strength" not in recipe.backend_options.keys() - {option.name for option in spec.options}:
        return None
    return UserError(f"'{spec.name}' has no --strength", "use --style-weight and --content-weight")


def _both(first: Callable[[Progress], object], second: Callable[[Progress], object]) -> Callable[[Progress], None]:
    def call(progress: Progress) -> None:
        first(progress)
        second(progress)

    return call


def announce(job: Job, resume: Snapshot | None, options: WriteOptions) -> None:
    """Print the first lines: pictures, device, weights, sizes, notes and the estimate."""
    backend = job.open()
    say(f"Painting {job.content.source} like {_format_names([image.source for image in job.inputs.style_images()])}")
    pairs = zip(job.sizes, job.steps, strict=True)
    sizes = " → ".join(f"{size} px × {steps}" if steps else f"{size} px in one pass" for size, steps in pairs)
    weights = _format_weights(job.weights_per_size(), job.sizes)
    say(f"{job.recipe.backend} on {backend.device}, weights {weights}, {backend.precision}; {sizes}")
    for note in job.notes():
        say(note)
    if line := format_estimate(job.estimate(resume)):
        say(line)
    if options.keep_profile and job.content.profile is None:
        say("--keep-profile: the content has no RGB profile, so the picture is written in sRGB")


def _format_names(names: Sequence[str]) -> str:
    """Return up to three names, and the number of the others: `a.jpg, b.jpg, c.jpg and 5 more`."""
    more = len(names) - 3
    return ", ".join(names[:3]) + (f" and {more} more" if more > 0 else "")


def _format_weights(weights: Sequence[str], sizes: Sequence[int]) -> str:
    """Return the weights of the sizes: `compact, imagenet from 512 px`."""
    changes = [i for i, name in enumerate(weights) if i and name != weights[i - 1]]
    return ", ".join([weights[0], *(f"{weights[i]} from {sizes[i]} px" for i in changes)])


def write_report(path: Path, facts: Mapping[str, Any]) -> None:
    """Write the report of a run, to a file or to a stream such as `/dev/stdout`. Raises `NstError`."""
    data = rendered(path, facts)
    try:
        if path.exists() and not path.is_file():
            path.write_bytes(data)
        else:
            atomic.replace(path, lambda file: file.write(data))
    except OSError as error:
        raise NstError(f"cannot write '{path}': {error.strerror}", "the picture itself is written") from error


def rendered(path: Path, facts: Mapping[str, Any]) -> bytes:
    """Return a run's report in the format of its file name: a page, a picture, or JSON."""
    if path.suffix.lower() == ".html":
        from nst.reports import run_page

        return run_page.render(facts).encode(errors="replace")  # JSON may hold a lone surrogate, which UTF-8 cannot
    if path.suffix.lower() == ".png":
        from nst.reports import run_plot

        return run_plot.png(facts)
    return (json.dumps(facts, indent=2) + "\n").encode()


ENDS = {"finished": "Finished", "diverged": "Stopped at the last finite loss", "interrupted": "Interrupted"}


def format_result(result: Result, output: str = "") -> str:
    """Return the last line of a run: `Saved out.png (512×384): 145 steps, 15 s, peak memory 0.9 GB`."""
    seconds, memory = result.facts["seconds"], result.facts["peak_memory"]
    steps = f"{len(result.history)} steps" if result.history else "one pass"
    fewer = sum(result.facts["steps"]) - len(result.history)
    if fewer and result.recipe.until and result.stopped == "finished":
        steps += f" ({fewer} fewer than planned)"
    height, width = result.pixels.shape[:2]
    end = ENDS[result.stopped]
    if output:
        end = f"Saved {output}" if result.stopped == "finished" else f"{end}; saved {output}"
    peak = f", peak memory {memory / 1e9:.1f} GB" if memory else ""
    return f"{end} ({width}×{height}): {steps}, {seconds:.0f} s{peak}"


__all__ = ["NstError", "Session", "host", "say"]
