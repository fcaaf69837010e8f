"""A comparison from beginning to end: everything checked, every cell run, every picture judged, all of it written."""

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
from nst.compare.study import Say, Study, Watch
from nst.errors import Findings, UserError, raise_all
from nst.images import Picture
from nst.io import atomic
from nst.plugins.host import Plugins
from nst.protocols import Pixels
from nst.recipe.fields import numbered
from nst.recipe.recipe import Recipe
from nst.reports import contact_sheet, folder
from nst.reports.folder import PAGE

MARK = '<meta name="generator" content="nst compare">'  # in every page of ours


@dataclass(frozen=True)
class ComparisonRequest:
    """What a person asks for: pictures, what to vary, where the report goes.

    `pictures` are the content and the styles; with `against`, which are then these two, the finished pictures.
    `chosen` are the recipe fields set by hand, `mistakes` what could not be read of them. `judge` is a neutral file.
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
        """The content and the styles."""
        return self.against or self.pictures


class Comparison:
    """A request, checked. Construction raises every mistake together, before anything is written or computed."""

    def __init__(self, request: ComparisonRequest, plugins: Plugins) -> None:
        self._request = request
        found = Findings()
        found.add(*request.mistakes, missing_scikit_image(), *_usage(request), folder.occupied(request.output, MARK))
        read = partial(images.read, max_pixels=request.max_pixels if (request.max_pixels or 0) > 0 else None)
        originals = [found.attempt(partial(read, source)) for source in request.originals]
        given = [found.attempt(partial(read, source)) for source in request.pictures if request.against]
        self._network = found.attempt(partial(load_network, request.judge))
        self.cells = found.attempt(partial(self._plan, originals, plugins)) or []
        raise_all({(error.message, error.hint): error for error in found.errors}.values())
        self._originals: list[Picture] = originals
        self._given: list[Picture] = given
        self._study = Study(request.pictures, request.output, request.max_pixels, request.jobs, request.fresh)

    def _plan(self, originals: Sequence[Picture | None], plugins: Plugins) -> list[Cell]:
        request = self._request
        if request.against or not (request.backends or request.vary):
            return []
        wanted = grid.read(request.backends, request.vary)
        raise_all(study.set_and_varied(wanted[0], request.chosen))
        shapes = [(each.pixels.shape[0], each.pixels.shape[1]) if each else (0, 0) for each in originals]
        named = list(zip(request.originals, shapes, strict=True))
        return cells.plan(request.recipe, wanted, plugins, named, request.chosen)

    def run(self, say: Say, watch: Watch) -> dict[str, Any]:
        """Run what is not finished, judge, write; the report. Ctrl-C ends what runs: what is finished is shown.

        `say` gets lines, `watch` the columns being worked on and what is being done.
        """
        folder.make(self._request.output)
        columns = self._columns()
        interrupted = False
        try:
            if self.cells:
                self._study.finish(columns, self.cells, say, watch)
        except KeyboardInterrupt:
            interrupted = True
        pictures = self._pictures(columns)
        about = self._judge(columns, pictures, watch)
        found = report.build(columns, about, self._request.output, interrupted)
        self._write(found, pictures)
        return found

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
            return {column.name: given.pixels for column, given in zip(columns, self._given, strict=True)}
        return {each.name: images.load_image(each.picture) for each in columns if each.picture.is_file()}

    def _judge(self, columns: Sequence[Column], pictures: Mapping[str, Pixels], watch: Watch) -> dict[str, Any]:
        """Every picture judged at one size; what the report says about judge and originals."""
        request = self._request
        content, *styles = (each.pixels for each in self._originals)
        size = min(SIZE, max((max(each.shape[:2]) for each in pictures.values()), default=SIZE))
        blend = request.recipe.style_blend if len(request.recipe.style_blend) == len(styles) else ()
        judge = Evaluator(self._network, content, styles, blend, size)
        for column in columns:
            if column.name in pictures:
                watch({"the judge": column.name})
                column.judgement = judge(pictures[column.name])
        facts = {"weights": request.judge or "compact", "sha256": self._network.sha256, "size": size}
        return {"originals": list(request.originals), "varied": list(request.vary), "judge": facts}

    def _write(self, found: Mapping[str, Any], pictures: Mapping[str, Pixels]) -> None:
        output = self._request.output
        shown = study.captioned(self._originals)
        shown += [(column["name"], pictures.get(column["name"])) for column in found["columns"]]
        tall, wide = self._originals[0].pixels.shape[:2]
        originals, made = shown[: len(self._originals)], shown[len(self._originals) :]
        rows = [originals, *contact_sheet.rows(made, study.across(self.cells))]
        images.write(output / "sheet.png", contact_sheet.grid(rows, tall / wide))
        report.write(output / "report.json", found)
        text = page.render(found, shown)
        atomic.replace(output / PAGE, lambda file: file.write(text.encode()))


def _usage(request: ComparisonRequest) -> Iterator[UserError]:
    """Options that do not go together, and those without which there is nothing to do."""
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
