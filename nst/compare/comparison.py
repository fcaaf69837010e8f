"""Compare backends, recipes or finished pictures: check the request, run the cells, evaluate, write the report."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from nst import images
from nst.compare import cells, grid, page, report, study
from nst.compare.cells import Cell
from nst.compare.metrics import SIZE, Evaluator, load_network, missing_scikit_image
from nst.compare.report import Column
from nst.compare.scheduler import Stopped
from nst.compare.study import Say, Study, Watch
from nst.errors import Findings, UserError, raise_all
from nst.images import Picture
from nst.io import atomic
from nst.orders import Done, Order, Outcome, Stage
from nst.plugins.host import Plugins
from nst.protocols import Pixels
from nst.recipe import recipe
from nst.recipe.fields import numbered
from nst.recipe.recipe import Recipe
from nst.reports import contact_sheet, folder
from nst.reports.folder import PAGE
from nst.worker.painter import Painter, Tell

MARK = '<meta name="generator" content="nst compare">'  # in every page of ours


@dataclass(frozen=True)
class ComparisonRequest:
    """A request for a comparison.

    `pictures` are the paths of the content and the styles. With `against`, the content and the style, `pictures` are
    finished pictures. `judge` is the path of the evaluator's network in the neutral format, "" for the compact network.
    `chosen` are the recipe fields set by the user; `mistakes` are the errors of reading the recipe.
    """

    pictures: Sequence[str]
    output: Path
    recipe: Recipe = field(default_factory=Recipe)
    backends: str = ""
    vary: Sequence[str] = ()
    against: tuple[str, str] | None = None
    jobs: int = 1
    judge: str = ""
    fresh: bool = False
    max_pixels: int | None = None
    mistakes: Sequence[UserError] = ()
    chosen: Collection[str] = ()

    @property
    def originals(self) -> Sequence[str]:
        """The paths of the content and the styles."""
        return self.against or self.pictures


class Comparison:
    """A checked comparison. The constructor raises every mistake together, before anything is written or computed."""

    def __init__(self, request: ComparisonRequest, plugins: Plugins) -> None:
        self._request = request
        findings = Findings()
        occupied = folder.occupied(request.output, MARK)
        findings.add(*request.mistakes, missing_scikit_image(), *_usage(request), occupied)
        read = partial(images.read, max_pixels=request.max_pixels if (request.max_pixels or 0) > 0 else None)
        originals = [findings.attempt(partial(read, source)) for source in request.originals]
        finished = [findings.attempt(partial(read, source)) for source in request.pictures if request.against]
        self._network = findings.attempt(partial(load_network, request.judge))
        self.cells = findings.attempt(partial(self._plan, originals, plugins)) or []
        raise_all({(error.message, error.hint): error for error in findings.errors}.values())
        self._originals: list[Picture] = originals
        self._finished: list[Picture] = finished
        self._study = Study(request.pictures, request.output, request.max_pixels, request.jobs, request.fresh)

    def _plan(self, originals: Sequence[Picture | None], plugins: Plugins) -> list[Cell]:
        request = self._request
        if request.against or not (request.backends or request.vary):
            return []
        settings = grid.read(request.backends, request.vary)
        raise_all(study.set_and_varied(settings[0], request.chosen))
        shapes = [picture.pixels.shape[:2] if picture else (0, 0) for picture in originals]
        named = list(zip(request.originals, shapes, strict=True))
        return cells.plan_cells(request.recipe, settings, plugins, named, request.chosen)

    def run(self, say: Say, watch: Watch, stopped: Stopped = bool) -> dict[str, Any]:
        """Run the unfinished cells, evaluate the pictures, and write and return the report.

        `say` gets messages, `watch` the current stages by column. After Ctrl-C, or once `stopped()` is true, the report
        shows the finished cells.
        """
        folder.make(self._request.output)
        columns = self._columns()
        try:
            if self.cells:
                self._study.finish(columns, self.cells, say, watch, stopped)
            interrupted = stopped()
        except KeyboardInterrupt:
            interrupted = True
        pictures = self._pictures(columns)
        about = self._evaluate(columns, pictures, watch)
        data = report.build(columns, about, self._request.output, interrupted)
        self._write(data, pictures)
        return data

    def _columns(self) -> list[Column]:
        request = self._request
        if request.against:
            names = [Path(each).name for each in request.pictures]
            names = numbered(names if len(set(names)) == len(names) else request.pictures)
            return [Column(name, Path(path)) for name, path in zip(names, request.pictures, strict=True)]
        return self._study.columns(self.cells)

    def _pictures(self, columns: Sequence[Column]) -> dict[str, Pixels]:
        """Return the finished pictures, by column."""
        if self._request.against:
            return {column.name: picture.pixels for column, picture in zip(columns, self._finished, strict=True)}
        return {column.name: images.load_image(column.picture) for column in columns if column.picture.is_file()}

    def _evaluate(self, columns: Sequence[Column], pictures: Mapping[str, Pixels], watch: Watch) -> dict[str, Any]:
        """Score every picture at one size, and return the report's fields about the evaluator and the originals."""
        request = self._request
        content, *styles = (original.pixels for original in self._originals)
        size = min(SIZE, max((max(pixels.shape[:2]) for pixels in pictures.values()), default=SIZE))
        blend = request.recipe.style_blend if len(request.recipe.style_blend) == len(styles) else ()
        evaluator = Evaluator(self._network, content, styles, blend, size)
        for column in columns:
            if column.name in pictures:
                watch({"the judge": column.name})
                column.judgement = evaluator(pictures[column.name])
        about = {"weights": request.judge or "compact", "sha256": self._network.sha256, "size": size}
        return {"originals": list(request.originals), "varied": list(request.vary), "judge": about}

    def _write(self, data: Mapping[str, Any], pictures: Mapping[str, Pixels]) -> None:
        output = self._request.output
        originals = study.captioned(self._originals)
        results = [(column["name"], pictures.get(column["name"])) for column in data["columns"]]
        height, width = self._originals[0].pixels.shape[:2]
        rows = [originals, *contact_sheet.rows(results, study.across(self.cells))]
        images.write(output / "sheet.png", contact_sheet.grid(rows, height / width))
        report.write(output / "report.json", data)
        text = page.render(data, [*originals, *results])
        atomic.replace(output / PAGE, lambda file: file.write(text.encode()))


def _usage(request: ComparisonRequest) -> Iterator[UserError]:
    """Yield the errors of options that contradict each other or are missing."""
    if request.jobs < 1:
        yield UserError(f"--jobs must be 1 or more, not {request.jobs}", "1 gives the truest times")
    if request.max_pixels is not None and request.max_pixels < 1:
        yield UserError(f"--max-pixels must be 1 or more, not {request.max_pixels}", "leave it out for 89 million")
    if request.against:
        if request.backends or request.vary or request.chosen:
            yield UserError(
                "--against judges finished pictures", "leave out --backends, --vary and the recipe's options"
            )
        return
    if len(request.pictures) < 2:
        yield UserError("give a content and a style", "or finished pictures with --against CONTENT STYLE")
    if not (request.backends or request.vary):
        hint = "--backends torch-vgg19,keras-vgg19, --vary optimizer=lbfgs,adam, or pictures --against CONTENT STYLE"
        yield UserError("nothing to compare", hint)


def compare_order(painter: Painter, order: Order, tell: Tell, stopped: Stopped) -> Outcome:
    """Compare the backends in an order's recipe, which are separated by commas. The report goes to `order.output`."""
    values, errors = recipe.read_fields({name: value for name, value in order.recipe.items() if name != "backend"})
    raise_all(errors)
    pictures, backends = [order.content, *map(str, order.styles)], order.recipe["backend"]
    request = ComparisonRequest(pictures, Path(order.output), Recipe(**values), backends, max_pixels=order.max_pixels)
    report = Comparison(request, painter.plugins).run(
        lambda message: None,
        lambda stages: tell(Stage("; ".join(f"{name}: {stage}" for name, stage in stages.items()))),
        stopped,
    )
    return Done(order.output, "interrupted" if report["exit_code"] == 130 else "finished")
