"""Run a job, write checkpoints while it runs, and save the image with its provenance record."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nst import images
from nst.engine.level_run import OnIterate, Progress
from nst.engine.snapshot import Snapshot
from nst.errors import UserError
from nst.images import WriteOptions
from nst.job import limits
from nst.job.job import Job, Result
from nst.persistence import input_files, provenance
from nst.persistence.checkpoint import Checkpoint, Checkpoints, Plan
from nst.persistence.input_files import Located
from nst.persistence.provenance import Record
from nst.protocols import Pixels


@dataclass(frozen=True)
class CheckpointPolicy:
    """The path of a run's checkpoint, None for no checkpoint, and the seconds between two writes."""

    path: Path | None = None
    every: float = 60.0


@dataclass(frozen=True)
class EarlierRun:
    """The run to resume from `snapshot`, or, without a snapshot, to repeat from its start."""

    record: Record
    snapshot: Snapshot | None = None


@dataclass
class RecordedJob:
    """A job with its output file, checkpoints and provenance record.

    `say` receives a message for each difference from the earlier run. `names` maps the paths of input files on this
    machine to their names in the record.
    """

    job: Job
    output: Path
    options: WriteOptions = field(default_factory=WriteOptions)
    checkpoints: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    earlier: EarlierRun | None = None
    say: Callable[[str], object] = lambda line: None
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def resume(self) -> Snapshot | None:
        """The snapshot to resume from."""
        return self.earlier.snapshot if self.earlier else None

    @cached_property
    def record(self) -> Record:
        """The provenance record; of a resumed run, that of the earlier run.

        Opens the backends. Raises `UserError` if the weights are not those of the run to resume.
        """
        record = provenance.record(self.job, self.options)
        inputs = tuple(replace(file, path=self.names.get(file.path, file.path)) for file in record.inputs)
        record = replace(record, inputs=inputs)
        if self.earlier is None:
            return record
        earlier = self.earlier.record
        if self.resume is not None and (other := provenance.foreign(earlier, record)):
            raise UserError(
                f"the weights {other[0]} are not those of this run", "use the weights that the run was started with"
            )
        for change in provenance.changes(earlier, record):
            self.say(change)
        return record if self.resume is None else replace(earlier, versions=record.versions, options=self.options)

    def prepare(self) -> None:
        """Open the backends; report the differences from the earlier run, and transparency that is lost.

        Raises `UserError` for a run that memory is too short for.
        """
        _ = self.record
        limits.require_memory(self.job.run_plan)
        if self.job.content.alpha is not None and not images.has_alpha(self.output):
            self.say(f"{self.output} cannot be transparent: the picture is laid on white; PNG keeps it cut out")

    def stylize(self, on_iterate: OnIterate, on_finished: Callable[[], object] = lambda: None) -> Result:
        """Stylize, with a checkpoint at intervals and at the end, also after an error. See `Job.stylize`.

        `on_finished` is called after the last step and before the last checkpoint.
        """
        about = {"record": self.record.to_dict(), "folder": os.getcwd(), "output": os.path.abspath(self.output)}
        checkpoints = Checkpoints(self.checkpoints.path, about, self.checkpoints.every, self.say)

        def step(progress: Progress) -> None:
            checkpoints(progress)
            on_iterate(progress)

        try:
            result = self.job.stylize(step, self.resume)
            on_finished()
        finally:
            checkpoints.write()
        return result

    def write(self, pixels: Pixels, path: Path | None = None, carries: bool = True) -> Path:
        """Write the image to `path`, by default `output`, with the record if it `carries` one. Raises `NstError`."""
        text = {"nst": json.dumps(self.record.to_dict())} if carries else None
        alpha, like = self.job.alpha(pixels.shape[:2]), self.job.content
        return images.write(path or self.output, pixels, alpha=alpha, text=text, like=like, options=self.options)

    def report(self, result: Result) -> dict[str, Any]:
        """Return the facts of the run as plain data, ready for JSON."""
        provenance_facts = {
            "versions": self.record.versions,
            "inputs": [asdict(file) for file in self.record.inputs],
            "hashes": self.record.weights,
        }
        outcome = {"stopped": result.stopped, "notes": result.notes, "warnings": result.warnings}
        return {
            **result.facts,
            **provenance_facts,
            "recipe": result.recipe.to_dict(),
            **outcome,
            "history": result.history,
        }


def open_checkpoint(path: Path, named: Mapping[str, Any] | None = None) -> tuple[Checkpoint, Record, Located]:
    """Return a checkpoint, its provenance record and the present paths of its files. Raises `UserError`.

    `named` gives paths by role, which replace the recorded ones.
    """
    checkpoint = Checkpoint(path)
    record = provenance.from_dict(checkpoint.about.get("record"), str(path))
    folders = [Path(checkpoint.text("folder")), path.parent, Path(), Path(checkpoint.text("output")).parent]
    return checkpoint, record, input_files.locate(record.inputs, record.recipe, folders, named=named)


def snapshot(checkpoint: Checkpoint, job: Job) -> Snapshot:
    """Return the snapshot in a checkpoint of this job. Raises `UserError`."""
    return checkpoint.snapshot(Plan(job.canvases(), job.steps, job.recipe.average > 0, job.matched))
