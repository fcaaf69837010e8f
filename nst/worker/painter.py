"""Stylize orders one after another in this process; a loaded backend is used again for the next order.

`python -m nst.worker.painter` runs this module as a process. Orders arrive on stdin, a line of JSON each; events leave
on stdout. The process ends when its stdin is closed, so it never outlives its parent.
"""

from __future__ import annotations

import faulthandler
import json
import os
import platform
import signal
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from nst import images
from nst.engine.level_run import Progress
from nst.engine.loop import Stop
from nst.errors import Mistakes, NstError, UserError, as_error, raise_all
from nst.estimate.eta import Clock
from nst.images import WriteOptions
from nst.io import remote
from nst.job.backends import Opened
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.orders import Done, Event, Failed, Order, Outcome, Started, Step, encode
from nst.persistence import recorded_job
from nst.persistence.checkpoint import Checkpoint
from nst.persistence.recorded_job import CheckpointPolicy, EarlierRun, RecordedJob
from nst.persistence.up_to_date import Digests, is_up_to_date
from nst.plugins.host import Plugins
from nst.recipe.recipe import ENGINE_FIELDS, Recipe, read
from nst.worker.previews import Previews
from nst.worker.staging import Staging

Tell = Callable[[Event], object]

TERMINATED = 143  # the exit code of a process after SIGTERM: 128 + 15


@dataclass(frozen=True)
class ParsedOrder:
    """The sources and the recipe of an order; with a checkpoint they come from its record."""

    sources: Sources
    recipe: Recipe
    checkpoint: Checkpoint | None = None
    earlier: EarlierRun | None = None


class Painter:
    """Runs orders, and keeps the loaded backends while the orders need the same network."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._plugins = plugins or Plugins.from_environment()
        self._loaded: dict[Any, Opened] = {}
        self._engine: Any = None
        self._digests: Digests = {}

    def paint(self, order: Order, tell: Tell = lambda event: None, stopped: Callable[[], bool] = bool) -> Outcome:
        """Run an order, call `tell` with each event, and return the outcome. Raises only `KeyboardInterrupt`.

        Once `stopped()` is true, the run ends after the next step, and the best image so far is the result.
        """
        try:
            return self._paint(order, tell, stopped)
        except (Exception, SystemExit) as error:  # a framework may raise anything
            return failure(error)

    def _paint(self, order: Order, tell: Tell, stopped: Callable[[], bool]) -> Outcome:
        _enter(order.folder)
        with Staging() as staging:
            parsed, options = _parse(order), WriteOptions(**order.options)
            parsed = replace(parsed, sources=staging.sources(parsed.sources))
            if not (order.fresh or order.resume) and self._is_up_to_date(order, parsed, options):
                return Done(order.output, "kept")
            output = Path(staging.place(order.output))
            job = self._job(order, parsed, images.check_output(output, options))
            checkpoints = CheckpointPolicy(Path(order.checkpoint) if order.checkpoint else None, order.checkpoint_every)
            earlier = _with_snapshot(parsed, job)
            recorded = RecordedJob(job, output, options, checkpoints, earlier, names=staging.names)
            recorded.prepare()
            tell(_started(job))
            result = recorded.stylize(_StepEvents(order, job, tell, stopped))
            if result.stopped == "interrupted" and not order.fresh:
                raise NstError("interrupted", "run it again")  # the next batch would keep the picture as finished
            recorded.write(result.pixels)
            staging.send(str(output))
            return Done(order.output, result.stopped, recorded.report(result))

    def _is_up_to_date(self, order: Order, parsed: ParsedOrder, options: WriteOptions) -> bool:
        if not remote.is_url(order.output):
            return is_up_to_date(order.output, parsed.sources, parsed.recipe, options, self._plugins, self._digests)
        with Staging() as staging:
            output = staging.bring(order.output) if remote.exists(order.output) else ""
            return is_up_to_date(output, parsed.sources, parsed.recipe, options, self._plugins, self._digests)

    def _job(self, order: Order, parsed: ParsedOrder, output_error: UserError | None) -> Job:
        engine = [getattr(parsed.recipe, name) for name in ENGINE_FIELDS]
        if engine != self._engine:
            self._loaded.clear()
            self._engine = engine
        return Job(
            replace(parsed.sources, max_pixels=order.max_pixels),
            parsed.recipe,
            self._plugins,
            errors=[output_error] if output_error else [],
            chosen=order.chosen,
            loaded=self._loaded,
        )


class _StepEvents:
    """An `on_iterate` callback that sends an event per step, and ends the run once `stopped()` is true."""

    def __init__(self, order: Order, job: Job, tell: Tell, stopped: Callable[[], bool]) -> None:
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


def _enter(folder: str) -> None:
    try:
        os.chdir(folder or os.curdir)
    except OSError as error:
        hint = "share it with this machine under the same name, or give whole paths"
        raise NstError(f"cannot enter the folder {folder} on {platform.node()}: {error.strerror}", hint) from None


def _parse(order: Order) -> ParsedOrder:
    if order.resume:
        checkpoint, record, located = recorded_job.open_checkpoint(Path(order.resume))
        return ParsedOrder(located.sources, located.recipe, checkpoint, EarlierRun(record))
    values, errors = read(order.recipe)
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


class _Inbox(threading.Thread):
    """Reads stdin while the main thread works: orders, and the request to stop the order in progress."""

    def __init__(self, lines: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._lines = lines
        self.orders: SimpleQueue[Order] = SimpleQueue()
        self.stop = threading.Event()
        self.terminated = self._idle = False

    def wait(self) -> Order:
        """Return the next order."""
        self._idle = True
        order = self.orders.get()
        self._idle = False
        return order

    def terminate(self, *_: object) -> None:
        """Stop the order in progress, or end the process if there is none; the handler of SIGTERM."""
        if self._idle:
            os._exit(TERMINATED)
        self.terminated = True
        self.stop.set()

    def run(self) -> None:
        for line in self._lines:
            message = json.loads(line)
            if message == "stop":
                self.stop.set()
            else:
                self.stop.clear()
                self.orders.put(Order(**message))
        os._exit(0)  # the parent has closed the pipe or ended


def main() -> None:
    """Run the orders from stdin.

    A framework's prints go to stderr, so that stdout carries events only; a framework cannot read the orders. SIGTERM
    ends the order in progress with the best image so far, and then the process.
    """
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events, lines = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    inbox, painter = _Inbox(lines), Painter()
    inbox.start()
    signal.signal(signal.SIGTERM, inbox.terminate)
    while not inbox.terminated:
        order = inbox.wait()
        _send(events, painter.paint(order, partial(_send, events), inbox.stop.is_set))
    os._exit(TERMINATED)  # the thread that reads stdin would not let the interpreter end


def _send(events: BinaryIO, event: Event) -> None:
    events.write(encode(event))
    events.flush()


if __name__ == "__main__":
    main()
