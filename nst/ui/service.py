"""What a page can ask for: a picture, its end, going on with it, the recipe of another. All of it without a browser."""

from __future__ import annotations

import json
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
from nst.ui.commands import CommandRun
from nst.ui.form import Form
from nst.ui.run_state import RunState
from nst.ui.sessions import PaintedPicture, Visitor, Visitors
from nst.ui.uploads import Limits
from nst.ui.worker_pool import WorkerPool

PREVIEW_EVERY = 1.0  # seconds
WARM = 30.0  # seconds for which a backend stays loaded after the last page was closed: perhaps it is opened again
PATIENCE = 0.5  # seconds between two looks at the queue
PREVIEW_SIZE = 480  # pixels, long side
CHECKPOINT_EVERY = 20.0  # seconds; cancelling writes one in any case


@dataclass(frozen=True)
class PaintRequest:
    """What a person asks for: uploaded files, the form's values, and what the brush is for (`nst.ui.mask.USES`)."""

    content: str | None
    styles: Sequence[str]
    values: Mapping[str, Any] = field(default_factory=dict)
    brush: str = "nothing"
    mask: Mask | None = None


CommandFactory = Callable[[Visitor, str, list[str], PaintRequest], CommandRun]
"""What makes an errand of a visitor's own pictures."""


class Service:
    """Serves every open page: takes what comes in, has it painted, and hands out what is done."""

    def __init__(self, plugins: Plugins, studio: WorkerPool, form: Form, limits: Limits | None = None) -> None:
        self.plugins, self.studio, self.form = plugins, studio, form
        self.limits = limits or Limits()
        self.visitors = Visitors(self.leave)

    def start(self, visitor: Visitor, wish: PaintRequest) -> RunState:
        """Queue a picture. Raises `UserError` with every mistake, before anything is computed."""
        if visitor.busy:
            raise UserError("this page is painting already", "cancel it first, or open another page")
        order = self._order(visitor, wish)
        visitor.run = RunState(order)
        self.studio.start(visitor.run)
        return visitor.run

    def _order(self, visitor: Visitor, wish: PaintRequest) -> Order:
        recipe = self.form.recipe(wish.values)
        content, styles = self.pictures(visitor, wish)
        file = uploads.unused_path(visitor.folder, "mask.png")
        where = mask.regions(wish.brush, wish.mask, styles, file)
        masks = [(path, list(own)) for path, own in where.masks]
        sources = Sources(content, where.styles, masks, where.protect, self.limits.pixels)
        self._check(Job(sources, recipe, self.plugins))
        name = "-".join([Path(content).stem, *(Path(style).stem for style in styles[:1])])[: uploads.LONGEST_NAME]
        output = uploads.unused_path(visitor.folder, f"{name}-painted.png")
        return Order(
            content,
            list(where.styles),
            str(output),
            recipe.to_dict(),
            checkpoint="" if self.form.one_pass(recipe.backend) else f"{output}.nst",
            checkpoint_every=CHECKPOINT_EVERY,
            preview_seconds=PREVIEW_EVERY,
            preview_size=PREVIEW_SIZE,
            masks=masks,
            protect=where.protect,
            max_pixels=self.limits.pixels,
        )

    def pictures(self, visitor: Visitor, wish: PaintRequest) -> tuple[str, list[str]]:
        """The content and the styles as the visitor's own files. Raises `UserError`."""
        if not wish.content:
            raise UserError("there is no content", "drop, paste or choose the picture to paint")
        if not wish.styles:
            raise UserError("there is no style", "drop, paste or choose the pictures to paint it like")
        if len(wish.styles) > self.limits.pictures:
            raise UserError(f"{len(wish.styles)} styles at once", f"give up to {self.limits.pictures}")
        content, *styles = uploads.copy_uploads(
            [wish.content, *wish.styles], self.visitors.cache, visitor.folder, self.limits
        )
        return str(content), [str(style) for style in styles]

    def content(self, visitor: Visitor, path: str | None) -> str:
        """An uploaded content as the visitor's own file. Raises `UserError`."""
        if not path:
            raise UserError("there is no content", "drop, paste or choose the picture to paint")
        return str(uploads.copy_upload(path, self.visitors.cache, visitor.folder, self.limits))

    def _check(self, job: Job) -> None:
        height, width = job.shapes()[-1]
        if height * width > self.limits.pixels:
            raise UserError(f"the picture would have {height * width:,} pixels", "choose a smaller size")

    def stop(self, visitor: Visitor) -> None:
        """End what a visitor is painting; the best so far is kept."""
        if visitor.run is not None and not visitor.run.over:
            self.studio.stop(visitor.run)

    def leave(self, visitor: Visitor) -> None:
        """The page was closed: whatever it has begun ends, and the processes that paint soon after the last."""
        self.stop(visitor)
        if visitor.errand is not None:
            visitor.errand.stop()
        if not self.visitors:
            rest = Timer(WARM, self._rest)
            rest.daemon = True
            rest.start()

    def _rest(self) -> None:
        """Nobody has come back: what the painters hold in memory is for others."""
        if not self.visitors:
            self.studio.close()

    def run_errand(self, visitor: Visitor, wish: PaintRequest, make: CommandFactory) -> CommandRun:
        """Queue what `make` makes of the wish's pictures. Raises `UserError`."""
        if visitor.errand is not None and not (visitor.errand.ticket and visitor.errand.ticket.over):
            raise UserError("this page is waiting for something else", "stop that first, or open another page")
        recipe = self.form.recipe(wish.values)
        content, styles = self.pictures(visitor, wish)
        visitor.errand = make(visitor, content, styles, wish)
        self.studio.send(visitor.errand, recipe.device)
        return visitor.errand

    def waiting(self, visitor: Visitor) -> Iterator[int]:
        """How many are before the visitor's errand, every so often, until it is over."""
        errand = visitor.errand
        while errand and errand.ticket and not visitor.gone and not self.studio.desk.wait(errand.ticket, PATIENCE):
            yield errand.ticket.place

    def resume(self, visitor: Visitor) -> RunState:
        """Go on with what was stopped. Raises `UserError` when there is nothing to go on with."""
        was = visitor.run
        if was is None or was.checkpoint is None:
            raise UserError("there is nothing to go on with", "cancel a picture while it is painted")
        visitor.run = RunState(replace(was.order, resume=str(was.checkpoint)), was.history)
        self.studio.start(visitor.run)
        return visitor.run

    def finish(self, visitor: Visitor, run: RunState) -> PaintedPicture | None:
        """The picture of a run that is over, kept among the visitor's, in the place of what it goes on from."""
        if run.done is None or visitor.gone:
            return None
        content = run.output.with_suffix(".content.jpg")
        height, width = images.load_image(run.output).shape[:2]
        images.write(content, images.resize(images.load_image(run.order.content), (height, width)))
        picture = PaintedPicture(run.output, content, provenance.read(run.output).recipe, run_summary(run))
        visitor.pictures = [each for each in visitor.pictures if each.path != picture.path] + [picture]
        return picture

    def recipe_of(self, path: str) -> tuple[Recipe, str]:
        """The recipe in a finished picture, and what of it the form cannot hold. Raises `UserError`."""
        name = Path(path).name
        uploads.check_uploaded(path, self.visitors.cache)
        if Path(path).suffix.lower() not in SUFFIXES:
            raise UserError(f"'{name}' is none of nst's pictures", f"it writes {', '.join(SUFFIXES)}")
        try:
            recipe = provenance.read(path).recipe
        except UserError as error:
            raise UserError(error.message.replace(path, name), error.hint) from None
        return recipe, self.form.unshown(recipe)


def run_summary(run: RunState) -> str:
    """A finished run in a line: what was chosen, how many steps, how long."""
    assert run.done is not None
    told = run.done.report
    chosen = report.chosen(json.loads(json.dumps(dict(run.order.recipe))))
    steps = f"{len(run.history)} steps" if run.history else "one pass"
    return ", ".join([*chosen, steps, f"{told['seconds']:.0f} s"] if "seconds" in told else [*chosen, steps])
