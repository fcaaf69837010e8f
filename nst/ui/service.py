"""Handle the requests of the page without a browser: start, stop and resume runs, and read recipes."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Timer
from typing import Any

from nst import images
from nst.engine.masks import Mask
from nst.errors import UserError
from nst.images import SUFFIXES
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.orders import Order
from nst.persistence import provenance
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe
from nst.reports import run as report
from nst.ui import mask, uploads
from nst.ui.form import Form
from nst.ui.run_state import RunState
from nst.ui.server_paths import without_folders
from nst.ui.sessions import PaintedPicture, Visitor, Visitors
from nst.ui.uploads import Limits
from nst.ui.worker_pool import WorkerPool

PREVIEW_EVERY = 1.0  # seconds
WARM = 30.0  # seconds for which a backend stays loaded after the last page was closed
PATIENCE = 0.5  # seconds between two checks of the queue
PREVIEW_SIZE = 480  # pixels, long side
CHECKPOINT_EVERY = 20.0  # seconds; cancelling writes one in any case


@dataclass(frozen=True)
class PaintRequest:
    """A request for a picture: uploaded files, values of the form, and the brush mode (`nst.ui.mask.USES`)."""

    content: str | None
    styles: Sequence[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    brush: str = "nothing"
    mask: Mask | None = None


OrderFactory = Callable[[str, list[str], Recipe], Order]
"""A function that creates the order of an estimate or a comparison from a visitor's images and recipe."""


class Service:
    """The service behind every open page."""

    def __init__(self, plugins: Plugins, workers: WorkerPool, form: Form, limits: Limits | None = None) -> None:
        self.plugins, self.workers, self.form = plugins, workers, form
        self.limits = limits or Limits()
        self.visitors = Visitors(self.leave)

    def start(self, visitor: Visitor, request: PaintRequest) -> RunState:
        """Queue a run. Raise `UserError` with every error, before anything is computed."""
        if visitor.busy:
            raise UserError(
                "this page is already painting a picture", "cancel that picture first, or open another page"
            )
        order = self._order(visitor, request)
        visitor.run = RunState(order)
        self.workers.start(visitor.run)
        return visitor.run

    def _order(self, visitor: Visitor, request: PaintRequest) -> Order:
        recipe = self.form.recipe(request.values)
        content, styles = self.pictures(visitor, request)
        file = uploads.unused_path(visitor.folder, "mask.png")
        regions = mask.regions(request.brush, request.mask, styles, file)
        masks = [(path, list(own)) for path, own in regions.masks]
        sources = Sources(content, regions.styles, masks, regions.protect, self.limits.pixels)
        self._check(Job(sources, recipe, self.plugins))
        name = "-".join([Path(content).stem, *(Path(style).stem for style in styles[:1])])[: uploads.LONGEST_NAME]
        output = uploads.unused_path(visitor.folder, f"{name}-painted.png")
        return Order(
            content,
            list(regions.styles),
            str(output),
            recipe.to_dict(),
            checkpoint="" if self.form.one_pass(recipe.backend) else f"{output}.nst",
            checkpoint_every=CHECKPOINT_EVERY,
            preview_seconds=PREVIEW_EVERY,
            preview_size=PREVIEW_SIZE,
            masks=masks,
            protect=regions.protect,
            max_pixels=self.limits.pixels,
            longest=self.limits.seconds,
        )

    def pictures(self, visitor: Visitor, request: PaintRequest) -> tuple[str, list[str]]:
        """Copy the uploaded images to a new folder of the visitor: content and styles. Raise `UserError`."""
        if not request.content:
            raise UserError("there is no content", "drop, paste or choose the picture to paint")
        if not request.styles:
            raise UserError("there is no style", "drop, paste or choose one or more paintings")
        if len(request.styles) > self.limits.pictures:
            raise UserError(
                f"{len(request.styles)} styles at once are too many", f"choose up to {self.limits.pictures}"
            )
        content, *styles = uploads.copy_uploads(
            [request.content, *request.styles], self.visitors.cache, _new_folder(visitor), self.limits
        )
        return str(content), [str(style) for style in styles]

    def content(self, visitor: Visitor, path: str | None) -> str:
        """Copy an uploaded content image to a new folder of the visitor. Raise `UserError`."""
        if not path:
            raise UserError("there is no content", "drop, paste or choose the picture to paint")
        return str(uploads.copy_upload(path, self.visitors.cache, _new_folder(visitor), self.limits))

    def _check(self, job: Job) -> None:
        height, width = job.shapes()[-1]
        if height * width > self.limits.pixels:
            raise UserError(f"the picture would have {height * width:,} pixels", "choose a smaller size")

    def stop(self, visitor: Visitor) -> None:
        """Stop a visitor's run and keep the best result so far."""
        if visitor.run is not None:
            self.workers.stop(visitor.run)

    def stop_command(self, visitor: Visitor) -> None:
        """Stop a visitor's estimate or comparison."""
        if visitor.command is not None:
            self.workers.stop(visitor.command)

    def leave(self, visitor: Visitor) -> None:
        """Stop the jobs of a closed page. `WARM` seconds after the last page, stop the workers too."""
        self.stop(visitor)
        self.stop_command(visitor)
        if not self.visitors:
            timer = Timer(WARM, self._stop_workers)
            timer.daemon = True
            timer.start()

    def _stop_workers(self) -> None:
        """Stop the workers if no page is open, to free their memory."""
        if not self.visitors:
            self.workers.close()

    def run_command(self, visitor: Visitor, request: PaintRequest, make_order: OrderFactory) -> RunState:
        """Queue the estimate or comparison that `make_order` creates from the request. Raise `UserError`."""
        if visitor.command is not None and not visitor.command.over:
            raise UserError(
                "this page is already running an estimate or a comparison", "stop it first, or open another page"
            )
        recipe = self.form.recipe(request.values)
        content, styles = self.pictures(visitor, request)
        visitor.command = RunState(make_order(content, styles, recipe))
        self.workers.start(visitor.command)
        return visitor.command

    def waiting(self, visitor: Visitor) -> Iterator[int]:
        """Yield the number of jobs before the visitor's command, repeatedly, until the command is over."""
        command = visitor.command
        while command and command.ticket and not visitor.gone and not command.ticket.wait(PATIENCE):
            yield command.ticket.place

    def resume(self, visitor: Visitor) -> RunState:
        """Resume the visitor's stopped run. Raise `UserError` if no run can be resumed."""
        stopped = visitor.run
        if stopped is None or stopped.checkpoint is None:
            raise UserError("there is no stopped picture to continue", "cancel a picture while it is painted")
        visitor.run = RunState(replace(stopped.order, resume=str(stopped.checkpoint)), stopped.history)
        self.workers.start(visitor.run)
        return visitor.run

    def finish(self, visitor: Visitor, run: RunState) -> PaintedPicture | None:
        """Add the result of a run to the visitor's pictures. A resumed run replaces its earlier result."""
        if run.done is None or visitor.gone:
            return None
        content = run.output.with_suffix(".content.jpg")
        height, width = images.load_image(run.output).shape[:2]
        images.write(content, images.resize(images.load_image(run.order.content), (height, width)))
        picture = PaintedPicture(run.output, content, provenance.read(run.output).recipe, run_summary(run))
        visitor.pictures = [other for other in visitor.pictures if other.path != picture.path] + [picture]
        return picture

    def recipe_of(self, path: str) -> tuple[Recipe, str]:
        """Return the recipe in a finished picture, and a message about hidden fields. Raise `UserError`."""
        name = Path(path).name
        uploads.check_uploaded(path, self.visitors.cache)
        if Path(path).suffix.lower() not in SUFFIXES:
            raise UserError(
                f"'{name}' is not a picture made by nst", f"choose a file that ends with {', '.join(SUFFIXES)}"
            )
        try:
            recipe = provenance.read(path).recipe
        except UserError as error:
            raise UserError(error.message.replace(path, name), error.hint) from None
        return recipe, self.form.unshown(recipe)


def _new_folder(visitor: Visitor) -> Path:
    """Return a new folder, in which uploads keep their names."""
    return Path(tempfile.mkdtemp(prefix="request-", dir=visitor.folder))


def run_summary(run: RunState) -> str:
    """Return a finished run in one line: options, steps and seconds."""
    assert run.done is not None
    report_data = run.done.report
    chosen = report.chosen(json.loads(json.dumps(dict(run.order.recipe))))
    steps = report.counted(len(run.history), "step") if run.history else "one pass"
    seconds = [f"{report_data['seconds']:.0f} s"] if "seconds" in report_data else []
    warnings = [f"warning: {warning}" for warning in report_data.get("warnings", ())]
    return without_folders("; ".join([", ".join([*chosen, steps, *seconds]), *warnings]))
