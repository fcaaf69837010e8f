"""Explore recipes: plan and check the panels, stylize their pictures, write a contact sheet and a page."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

from nst import images
from nst.compare import cells, grid, page, report, study
from nst.compare.cells import Cell
from nst.compare.papers import Paper, PaperPanel
from nst.compare.report import Column
from nst.compare.study import Say, Study, Watch
from nst.errors import Findings, UserError, raise_all
from nst.images import Picture
from nst.io import atomic
from nst.plugins.host import Plugins
from nst.protocols import Pixels
from nst.recipe.recipe import Recipe, flag
from nst.reports import contact_sheet, folder
from nst.reports.folder import PAGE

COMMAND = "nst explore"
MARK = f'<meta name="generator" content="{COMMAND}">'  # in each page that nst explore writes
WIDEST = 6  # pictures in a single row


@dataclass(frozen=True)
class ExplorationRequest:
    """A request for an exploration of varied fields, or of a paper's experiment.

    `pictures` are the paths of the content and the styles. `chosen` are the recipe fields set by the user; `mistakes`
    are the errors of reading the recipe.
    """

    pictures: Sequence[str]
    output: Path
    recipe: Recipe = field(default_factory=Recipe)
    backends: str = ""
    vary: Sequence[str] = ()
    paper: Paper | None = None
    fresh: bool = False
    max_pixels: int | None = None
    mistakes: Sequence[UserError] = ()
    chosen: Collection[str] = ()

    @property
    def panels(self) -> Sequence[PaperPanel]:
        """The panels of the paper, or a single panel."""
        return self.paper.panels if self.paper else [PaperPanel()]


class Exploration:
    """A checked exploration. The constructor raises every mistake together, before anything is written or painted."""

    def __init__(self, request: ExplorationRequest, plugins: Plugins) -> None:
        self._request, self._plugins = request, plugins
        self._study = Study(request.pictures, request.output, request.max_pixels, fresh=request.fresh)
        findings = Findings()
        findings.add(*request.mistakes, *_usage(request), folder.occupied(request.output, MARK))
        read = partial(images.read, max_pixels=request.max_pixels if (request.max_pixels or 0) > 0 else None)
        originals = [findings.attempt(partial(read, source)) for source in request.pictures]
        shapes = [picture.pixels.shape[:2] if picture else (0, 0) for picture in originals]
        planned = [findings.attempt(partial(self._plan, panel, shapes)) for panel in request.panels]
        raise_all({(error.message, error.hint): error for error in findings.errors}.values())
        self._originals: list[Picture] = originals
        self.cells: list[list[Cell]] = planned

    def _plan(self, panel: PaperPanel, shapes: Sequence[tuple[int, int]]) -> list[Cell]:
        request = self._request
        vary = [*request.vary, *panel.vary]
        if not (request.backends or vary):
            return []
        settings = grid.read(request.backends, vary)
        fixed = [UserError(f"{flag(name)} is what the experiment sets", "leave it out") for name in panel.recipe
                 if name in request.chosen]  # fmt: skip
        raise_all([*study.set_and_varied(settings[0], request.chosen), *fixed])
        named = list(zip(request.pictures, shapes, strict=True))
        recipe = request.recipe.override(**panel.recipe)
        planned = cells.plan_cells(recipe, settings, self._plugins, named, request.chosen)
        return [replace(cell, probe=False) for cell in planned]

    def run(self, say: Say, watch: Watch) -> dict[str, Any]:
        """Stylize the unfinished pictures, write the sheet, the page and the report, and return the report.

        `say` gets messages, `watch` the current stages by picture. After Ctrl-C the report shows the finished pictures.
        """
        folder.make(self._request.output)
        planned = [cell for panel in self.cells for cell in panel]
        columns = self._study.columns(planned)
        interrupted = False
        try:
            self._study.finish(columns, planned, say, watch)
        except KeyboardInterrupt:
            interrupted = True
        data = report.build(columns, self._about(), self._request.output, interrupted)
        self._write(data, columns)
        return data

    def _about(self) -> dict[str, Any]:
        """Return the fields of the report beside the pictures."""
        request = self._request
        shown = zip(request.panels, self.cells, strict=True)
        panels = [
            {"title": panel.title, "note": panel.note, "across": _across(planned), "count": len(planned)}
            for panel, planned in shown
        ]
        about = {"command": COMMAND, "originals": list(request.pictures), "varied": list(request.vary)}
        paper = request.paper
        if paper is None:
            return {**about, "panels": panels}
        title, departures = f"{paper.title}: {paper.source}", list(paper.departures)
        return {**about, "title": title, "paper": paper.name, "departures": departures, "panels": panels}

    def _write(self, data: Mapping[str, Any], columns: Sequence[Column]) -> None:
        output = self._request.output
        originals = study.captioned(self._originals)
        results: list[tuple[str, Pixels | None]] = [
            (column.name, images.load_image(column.picture) if column.picture.is_file() else None) for column in columns
        ]
        height, width = self._originals[0].pixels.shape[:2]
        images.write(output / "sheet.png", contact_sheet.panels([*_sheet(data, originals, results)], height / width))
        report.write(output / "report.json", data)
        text = page.render(data, [*originals, *results])
        atomic.replace(output / PAGE, lambda file: file.write(text.encode()))


def _sheet(
    data: Mapping[str, Any], originals: Sequence[contact_sheet.Captioned], results: Sequence[contact_sheet.Captioned]
) -> Iterator[tuple[str, list[Sequence[contact_sheet.Captioned]]]]:
    """Yield the title and the rows of the originals and of each panel."""
    yield data.get("title", "Originals"), [originals]
    pictures = iter(results)
    for panel in data["panels"]:
        yield panel["title"], contact_sheet.rows([*islice(pictures, panel["count"])], panel["across"])


def _across(planned: Sequence[Cell]) -> int:
    """Return the number of pictures in a row: all pictures if one field is varied and they are few."""
    fields = {name for cell in planned for name in cell.setting}
    return len(planned) if len(fields) == 1 and len(planned) <= WIDEST else study.across(planned)


def _usage(request: ExplorationRequest) -> Iterator[UserError]:
    if request.max_pixels is not None and request.max_pixels < 1:
        yield UserError(f"--max-pixels must be 1 or more, not {request.max_pixels}", "leave it out for 89 million")
    if len(request.pictures) < 2:
        yield UserError("give a content and a style", "nst explore CONTENT STYLE --vary FIELD=VALUE,…")
    if not (request.backends or request.vary or request.paper):
        hint = "--vary content-weight=1,10,100, --backends torch-vgg19,keras-vgg19, or --paper NAME (see --list)"
        yield UserError("nothing to explore", hint)
