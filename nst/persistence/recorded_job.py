"""A job with its files, wherever it runs: recorded as it is, kept as it goes, written with its making inside."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from nst import images
from nst.engine.loop import OnIterate
from nst.engine.snapshot import Snapshot
from nst.errors import UserError
from nst.images import WriteOptions
from nst.job.job import Job, Result
from nst.persistence import input_files, provenance
from nst.persistence.checkpoint import Checkpoint, Checkpoints, Plan
from nst.persistence.input_files import Located
from nst.persistence.provenance import Record
from nst.protocols import Pixels


@dataclass(frozen=True)
class CheckpointPolicy:
    """Where a run's checkpoint is kept, None for nowhere, and after how many seconds again."""

    path: Path | None = None
    every: float = 60.0


@dataclass
class RecordedJob:
    """One picture in the making.

    `was` is the record of the run to go on with, from `resume`, or to do again; `say` is told what is not as it was.
    `names` are what files are called in the record, by their paths here.
    """

    job: Job
    output: Path
    options: WriteOptions = field(default_factory=WriteOptions)
    keeping: CheckpointPolicy = field(default_factory=CheckpointPolicy)
    resume: Snapshot | None = None
    was: Record | None = None
    say: Callable[[str], object] = lambda line: None
    names: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def record(self) -> Record:
        """What this run is; a run that goes on is what it has been. Opens the backends. Raises `UserError`."""
        record = provenance.record(self.job, self.options)
        inputs = tuple(replace(each, path=self.names.get(each.path, each.path)) for each in record.inputs)
        record = replace(record, inputs=inputs)
        if self.was is None:
            return record
        if self.resume is not None and (other := provenance.foreign(self.was, record)):
            raise UserError(f"the weights {other[0]} are not those of this run", "put back those it was begun with")
        for change in provenance.changes(self.was, record):
            self.say(change)
        return record if self.resume is None else replace(self.was, versions=record.versions, options=self.options)

    def prepare(self) -> None:
        """Open the backends, and say what is not as it was."""
        _ = self.record

    def run(self, on_iterate: OnIterate, painted: Callable[[], object] = lambda: None) -> Result:
        """Take the steps. `painted` is called after the last of them, before the last checkpoint is written."""
        keep = self._checkpoints()

        def step(progress: Any) -> None:
            keep(progress)
            on_iterate(progress)

        try:
            result = self.job.run(step, self.resume)
            painted()
        finally:
            keep.write()
        return result

    def _checkpoints(self) -> Checkpoints:
        about = {"record": self.record.to_dict(), "folder": os.getcwd(), "output": os.path.abspath(self.output)}
        return Checkpoints(self.keeping.path, about, self.keeping.every, self.say)

    def write(self, pixels: Pixels, path: Path | None = None, carries: bool = True) -> Path:
        """Write the picture, elsewhere if so asked; it carries how it was made, or does not. Raises `NstError`."""
        text = {"nst": json.dumps(self.record.to_dict())} if carries else None
        alpha, like = self.job.alpha(pixels.shape[:2]), self.job.content
        return images.write(path or self.output, pixels, alpha=alpha, text=text, like=like, options=self.options)

    def report(self, result: Result) -> dict[str, Any]:
        """Everything about the run, as plain data."""
        rest = {"stopped": result.stopped, "notes": result.notes, "history": result.history}
        inputs = [asdict(each) for each in self.record.inputs]
        made = {"versions": self.record.versions, "inputs": inputs, "hashes": self.record.weights}
        return {**result.facts, **made, "recipe": result.recipe.to_dict(), **rest}


def taken_up(path: Path, named: Mapping[str, Any] | None = None) -> tuple[Checkpoint, Record, Located]:
    """A checkpoint, what its run is, and where its files are now, or are `named` to be. Raises `UserError`."""
    kept = Checkpoint(path)
    was = provenance.from_dict(kept.about.get("record"), str(path))
    folders = [Path(kept.text("folder")), path.parent, Path(), Path(kept.text("output")).parent]
    return kept, was, input_files.locate(was.inputs, was.recipe, folders, named=named)


def snapshot(kept: Checkpoint, job: Job) -> Snapshot:
    """What a checkpoint holds, for the job it is of. Raises `UserError`."""
    return kept.snapshot(Plan(job.canvases(), job.steps, job.recipe.average > 0))
