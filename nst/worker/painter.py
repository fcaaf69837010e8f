"""Paints what is ordered, one after another, in this process; what is loaded for one is there for the next.

`python -m nst.worker.painter` is the same as a process of its own: orders come in on stdin, a line of JSON each, and events go
out on stdout. It ends as soon as stdin does: with whoever started it, whatever became of them.
"""

from __future__ import annotations

import faulthandler
import json
import os
import platform
import signal
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any, BinaryIO

from nst import images
from nst.engine import loop
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
from nst.persistence.provenance import Record
from nst.persistence.recorded_job import CheckpointPolicy, RecordedJob
from nst.persistence.up_to_date import Digests, kept
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe, read
from nst.worker.previews import Previews
from nst.worker.staging import Staging

ENGINE = ("backend", "weights", "device", "precision", "backend_options", "pooling", "padding")
"""The recipe fields that make another network of it."""

Tell = Callable[[Event], object]


@dataclass(frozen=True)
class Wanted:
    """An order, read: of a checkpoint to go on from what it says, of any other what it says itself."""

    sources: Sources
    recipe: Recipe
    checkpoint: Checkpoint | None = None
    was: Record | None = None


class Painter:
    """Keeps the backend of its last picture for the next, if that is to be painted by the same one."""

    def __init__(self, plugins: Plugins | None = None) -> None:
        self._plugins = plugins or Plugins.from_environment()
        self._loaded: dict[Any, Opened] = {}
        self._engine: Any = None
        self._digests: Digests = {}

    def paint(self, order: Order, tell: Tell = lambda event: None, stopped: Callable[[], bool] = bool) -> Outcome:
        """What became of an order; `tell` hears on the way there. Raises nothing but `KeyboardInterrupt`.

        Once `stopped()` the steps end with the next one, and the best image so far is the picture.
        """
        try:
            return self._paint(order, tell, stopped)
        except (Exception, SystemExit) as error:  # a framework raises what it likes
            return failure(error)

    def _paint(self, order: Order, tell: Tell, stopped: Callable[[], bool]) -> Outcome:
        _enter(order.folder)
        with Staging() as nearby:
            wanted, options = _wanted(order), WriteOptions(**order.options)
            wanted = replace(wanted, sources=nearby.sources(wanted.sources))
            if not (order.fresh or order.resume) and self._is_kept(order, wanted, options):
                return Done(order.output, "kept")
            output = nearby.place(order.output)
            made = self._making(order, wanted, Path(output), options, nearby.names)
            tell(_started(made.job))
            result = made.run(_Telling(order, made.job, tell, stopped))
            made.write(result.pixels)
            nearby.send(output)
            return Done(order.output, result.stopped, made.report(result))

    def _is_kept(self, order: Order, wanted: Wanted, options: WriteOptions) -> bool:
        if not remote.is_url(order.output):
            return kept(order.output, wanted.sources, wanted.recipe, options, self._plugins, self._digests)
        with Staging() as nearby:
            there = nearby.bring(order.output) if remote.exists(order.output) else ""
            return kept(there, wanted.sources, wanted.recipe, options, self._plugins, self._digests)

    def _making(
        self, order: Order, wanted: Wanted, output: Path, options: WriteOptions, names: Mapping[str, str]
    ) -> RecordedJob:
        job = self._job(order, wanted, [images.check_output(output, options)])
        keeping = CheckpointPolicy(Path(order.checkpoint) if order.checkpoint else None, order.checkpoint_every)
        resume = recorded_job.snapshot(wanted.checkpoint, job) if wanted.checkpoint else None
        made = RecordedJob(job, output, options, keeping, resume, wanted.was, names=names)
        made.prepare()
        return made

    def _job(self, order: Order, wanted: Wanted, mistakes: Sequence[UserError | None]) -> Job:
        engine = [getattr(wanted.recipe, name) for name in ENGINE]
        if engine != self._engine:
            self._loaded.clear()
            self._engine = engine
        sources = wanted.sources
        return Job(
            sources.content,
            sources.styles,
            wanted.recipe,
            self._plugins,
            masks=sources.masks,
            protect=sources.protect,
            max_pixels=order.max_pixels,
            mistakes=[*filter(None, mistakes)],
            chosen=order.chosen,
            loaded=self._loaded,
        )


class _Telling:
    """An `on_iterate` that tells of each step, and ends the steps when asked to."""

    def __init__(self, order: Order, job: Job, tell: Tell, stopped: Callable[[], bool]) -> None:
        self._tell, self._stopped = tell, stopped
        self._clock = Clock(job.sizes, job.steps)
        self._previews = Previews(order.preview_seconds, order.preview_steps, order.preview_size, tell)

    def __call__(self, progress: loop.Progress) -> None:
        left = self._clock.left(self._clock.planned(progress.step, progress.steps), progress.seconds)
        told = {name: getattr(progress, name) for name in ("step", "steps", "size", "loss", "terms", "seconds", "note")}
        self._tell(Step(**told, left=left))
        self._previews(progress)
        if self._stopped():
            raise KeyboardInterrupt


def _enter(folder: str) -> None:
    try:
        os.chdir(folder or os.curdir)
    except OSError as error:
        hint = "share it with this machine under the same name, or give whole paths"
        raise NstError(f"cannot enter the folder {folder} on {platform.node()}: {error.strerror}", hint) from None


def _wanted(order: Order) -> Wanted:
    if order.resume:
        checkpoint, was, found = recorded_job.taken_up(Path(order.resume))
        return Wanted(found.sources, found.recipe, checkpoint, was)
    values, mistakes = read(order.recipe)
    raise_all(mistakes)
    return Wanted(Sources(order.content, order.styles, order.masks, order.protect), Recipe(**values))


def _started(job: Job) -> Started:
    backend = job.open()
    return Started(backend.device, backend.precision, job.weights.name, job.sizes, job.steps, job.notes())


def failure(error: BaseException) -> Failed:
    """What to say of anything that was raised; of several mistakes each."""
    found = as_error(error)
    errors = found.errors if isinstance(found, Mistakes) else (found,)
    hints = dict.fromkeys(each.hint for each in errors if each.hint)
    return Failed(found.message, "; ".join(hints), isinstance(found, UserError))


class _Inbox(threading.Thread):
    """Listens on stdin, beside the painting: orders, and the word to stop the one that is being painted."""

    def __init__(self, lines: BinaryIO) -> None:
        super().__init__(daemon=True)
        self._lines = lines
        self.orders: SimpleQueue[Order] = SimpleQueue()
        self.stop = threading.Event()

    def run(self) -> None:
        for line in self._lines:
            given = json.loads(line)
            if given == "stop":
                self.stop.set()
            else:
                self.stop.clear()
                self.orders.put(Order(**given))
        os._exit(0)  # nobody is waiting for this any more


def main() -> None:
    """Paint what is ordered on stdin. What a framework prints is no event, and no order is for a framework to read."""
    faulthandler.enable()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    events, lines = os.fdopen(os.dup(1), "wb"), os.fdopen(os.dup(0), "rb")
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    inbox, painter = _Inbox(lines), Painter()
    inbox.start()
    while True:
        order = inbox.orders.get()
        _send(events, painter.paint(order, partial(_send, events), inbox.stop.is_set))


def _send(events: BinaryIO, event: Event) -> None:
    events.write(encode(event))
    events.flush()


if __name__ == "__main__":
    main()
