"""Stylize orders one after another in this process; a loaded backend is used again for the next order."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nst import images
from nst.engine.level_run import Progress
from nst.engine.loop import Stop
from nst.errors import Mistakes, NstError, UserError, as_error, raise_all
from nst.estimate.eta import Clock
from nst.estimate.text import duration
from nst.images import WriteOptions
from nst.io import remote
from nst.job.backends import Opened
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.job.limits import is_large
from nst.orders import Done, Event, Failed, Order, Outcome, Started, Step
from nst.persistence import recorded_job
from nst.persistence.checkpoint import Checkpoint
from nst.persistence.recorded_job import CheckpointPolicy, EarlierRun, RecordedJob
from nst.persistence.up_to_date import Digests, is_up_to_date
from nst.plugins.host import Plugins
from nst.recipe.recipe import ENGINE_FIELDS, Recipe, read_fields
from nst.worker.previews import Previews
from nst.worker.staging import Staging

Tell = Callable[[Event], object]
Stopped = Callable[[], bool]


@dataclass(frozen=True)
class ParsedOrder:
    """The sources and the recipe of an order; with a checkpoint they come from its record."""

    sources: Sources
    recipe: Recipe
    checkpoint: Checkpoint | None = None
    earlier: EarlierRun | None = None


class Painter:
    """Runs orders, and keeps the loaded backends while the orders need the same network.

    `networks` are weights on the host, by name and stamp, which are kept for as long.
    """

    def __init__(self, plugins: Plugins | None = None) -> None:
        self.plugins = plugins or Plugins.from_environment()
        self.networks: dict[Any, Any] = {}
        self._loaded: dict[Any, Opened] = {}
        self._engine: Any = None
        self._digests: Digests = {}

    def paint(self, order: Order, tell: Tell = lambda event: None, stopped: Stopped = bool) -> Outcome:
        """Run an order, call `tell` with each event, and return the outcome. Raises only `KeyboardInterrupt`.

        Once `stopped()` is true, the run ends after the next step, and the best image so far is the result.
        """
        try:
            return self._paint(order, tell, stopped)
        except (Exception, SystemExit) as error:  # a framework may raise anything
            return failure(error)

    def estimate(self, order: Order, tell: Tell = lambda event: None, stopped: Stopped = bool) -> Outcome:
        """Return the estimate of an order's time and memory, with its device, as the report. Raises `NstError`."""
        job = self.job(order, parse_order(order))
        return Done("", "finished", {**job.estimate().to_dict(), "device": job.open().device})

    def _paint(self, order: Order, tell: Tell, stopped: Stopped) -> Outcome:
        _enter(order.folder)
        with Staging() as staging:
            parsed, options = parse_order(order), WriteOptions(**order.options)
            parsed = replace(parsed, sources=staging.sources(parsed.sources))
            if not (order.fresh or order.resume) and self._is_up_to_date(order, parsed, options):
                return Done(order.output, "kept")
            output = Path(staging.place(order.output))
            output_error = images.check_output(output, options)
            job = self.job(order, parsed, [output_error] if output_error else [])
            checkpoints = CheckpointPolicy(Path(order.checkpoint) if order.checkpoint else None, order.checkpoint_every)
            earlier = _with_snapshot(parsed, job)
            recorded = RecordedJob(job, output, options, checkpoints, earlier, names=staging.names)
            recorded.prepare()
            _require_time(job, order.longest)
            tell(_started(job))
            result = recorded.stylize(_StepEvents(order, job, tell, stopped))
            if result.stopped == "interrupted" and not order.fresh:
                raise NstError("interrupted", "run it again")  # the next batch would keep the picture as finished
            recorded.write(result.pixels)
            staging.send(str(output))
            return Done(order.output, result.stopped, recorded.report(result))

    def _is_up_to_date(self, order: Order, parsed: ParsedOrder, options: WriteOptions) -> bool:
        if not remote.is_url(order.output):
            return is_up_to_date(order.output, parsed.sources, parsed.recipe, options, self.plugins, self._digests)
        with Staging() as staging:
            output = staging.bring(order.output) if remote.exists(order.output) else ""
            return is_up_to_date(output, parsed.sources, parsed.recipe, options, self.plugins, self._digests)

    def job(self, order: Order, parsed: ParsedOrder, errors: Sequence[UserError] = ()) -> Job:
        """Return the job of an order, with the loaded backends. Raises `UserError` with `errors` and its own."""
        engine = [getattr(parsed.recipe, name) for name in ENGINE_FIELDS]
        if engine != self._engine:
            self._loaded.clear()
            self.networks.clear()
            self._engine = engine
        return Job(
            replace(parsed.sources, max_pixels=order.max_pixels),
            parsed.recipe,
            self.plugins,
            errors=errors,
            chosen=order.chosen,
            loaded=self._loaded,
        )


class _StepEvents:
    """An `on_iterate` callback that sends an event per step, and ends the run once `stopped()` is true."""

    def __init__(self, order: Order, job: Job, tell: Tell, stopped: Stopped) -> None:
        self._tell, self._stopped = tell, stopped
        self._clock = Clock(job.sizes, job.steps)
        self._previews = Previews(order.preview_seconds, order.preview_steps, order.preview_size, tell)

    def __call__(self, progress: Progress) -> None:
        left = self._clock.left(self._clock.planned(progress.step, progress.steps), progress.seconds)
        names = ("step", "steps", "size", "loss", "terms", "seconds", "notes")
        self._tell(Step(**{name: getattr(progress, name) for name in names}, left=left))
        self._previews(progress)
        if self._stopped():
            raise Stop


def _require_time(job: Job, longest: float) -> None:
    """Raise `UserError` for a job whose estimate is above `longest` seconds; 0 is no limit."""
    seconds = job.estimate().seconds if longest and is_large(job.sizes, job.steps) else None
    if seconds is not None and seconds > longest:
        message = f"the picture would take about {duration(seconds)}; {duration(longest)} is allowed"
        raise UserError(message, "choose a smaller size or fewer steps")


def _enter(folder: str) -> None:
    try:
        os.chdir(folder or os.curdir)
    except OSError as error:
        hint = "share it with this machine under the same name, or give whole paths"
        raise NstError(f"cannot enter the folder {folder} on {platform.node()}: {error.strerror}", hint) from None


def parse_order(order: Order) -> ParsedOrder:
    """Read the recipe of an order, and of a checkpoint the sources too. Raises `UserError`."""
    if order.resume:
        checkpoint, record, located = recorded_job.open_checkpoint(Path(order.resume))
        return ParsedOrder(located.sources, located.recipe, checkpoint, EarlierRun(record))
    values, errors = read_fields(order.recipe)
    raise_all(errors)
    return ParsedOrder(Sources(order.content, order.styles, order.masks, order.protect), Recipe(**values))


def _with_snapshot(parsed: ParsedOrder, job: Job) -> EarlierRun | None:
    if parsed.checkpoint is None or parsed.earlier is None:
        return None
    return replace(parsed.earlier, snapshot=recorded_job.snapshot(parsed.checkpoint, job))


def _started(job: Job) -> Started:
    backend = job.open()
    return Started(backend.device, backend.precision, job.weights.name, job.sizes, job.steps, job.notes())


def failure(error: BaseException) -> Failed:
    """Return the `Failed` event for any exception, with every hint of a `Mistakes`."""
    nst_error = as_error(error)
    errors = nst_error.errors if isinstance(nst_error, Mistakes) else (nst_error,)
    hints = dict.fromkeys(item.hint for item in errors if item.hint)
    return Failed(nst_error.message, "; ".join(hints), isinstance(nst_error, UserError))
