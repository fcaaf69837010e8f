"""Stylize many pictures: check the request, run every picture, and write the report."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from nst.batches import manifest, report, rows
from nst.batches.names import named
from nst.batches.report import MARK, Painted
from nst.batches.rows import BatchRow
from nst.errors import Findings, UserError, raise_all
from nst.images import WriteOptions
from nst.io import remote
from nst.job.validation import Call, find_mistakes
from nst.orders import Event, Order
from nst.plugins.host import Plugins
from nst.plugins.options import missing_modules, read_options
from nst.recipe.recipe import ENGINE_FIELDS, Recipe
from nst.reports import folder as report_folder
from nst.specs import ExecutorSpec, OptionValue

BatchWatch = Callable[[BatchRow, Event], object]


@dataclass(frozen=True)
class BatchRequest:
    """A request for many pictures: their rows, the output folder (a path or a URL), and the shared recipe.

    `chosen` are the recipe fields set by the user; `mistakes` are the errors of reading the recipe. An output with the
    same inputs is kept unless `fresh`.
    """

    rows: Sequence[BatchRow]
    output: str
    recipe: Recipe = field(default_factory=Recipe)
    executor: str = "local"
    executor_options: Mapping[str, OptionValue] = field(default_factory=dict)
    options: WriteOptions = field(default_factory=WriteOptions)
    fresh: bool = False
    max_pixels: int | None = None
    chosen: Collection[str] = ()
    mistakes: Sequence[UserError] = ()


class Series:
    """A checked request. The constructor raises all mistakes together, except those of one row.

    `rows` are the requested pictures, `outcomes` the outcomes so far, without their reports.
    """

    def __init__(self, request: BatchRequest, plugins: Plugins) -> None:
        self._request, self._plugins = request, plugins
        findings = Findings()
        findings.add(*request.mistakes, *self._recipe_mistakes())
        if not remote.is_url(request.output):
            findings.add(report_folder.occupied(Path(request.output), MARK))
        spec: ExecutorSpec | None = findings.attempt(lambda: plugins.find("executor", request.executor))
        if spec is not None:
            findings.add(missing_modules(spec))
            self._executor_options = findings.attempt(lambda: read_options(spec, request.executor_options))
        raise_all(findings.errors)
        assert spec is not None
        self._spec = spec
        self.rows = named(request.rows, request.output)
        self.outcomes: list[Painted] = []

    def _recipe_mistakes(self) -> list[UserError]:
        """Return the mistakes in the shared recipe, unless every row has a recipe of its own."""
        shared = [row for row in self._request.rows if not (row.recipe or row.error)]
        calls = {Call(len(row.styles), sum(len(own) for _, own in row.masks), bool(row.masks)) for row in shared}
        if len(calls) != 1:
            return []
        return find_mistakes(self._request.recipe, self._plugins, calls.pop(), self._request.chosen)

    def run(self, watch: BatchWatch = lambda row, event: None) -> Iterator[Painted]:
        """Yield each finished picture, refused ones first; write the report even after an error.

        `watch` receives the events of each picture.
        """
        for folder in self._folders():
            report_folder.make(folder)
        self.outcomes = []
        try:
            for painted in self._painted(watch):
                self.outcomes.append(replace(painted, report={}))
                yield painted
        finally:
            report.write(self._request.output, self.outcomes, len(self.rows))

    def _painted(self, watch: BatchWatch) -> Iterator[Painted]:
        yield from (Painted.refused(row, row.error) for row in self.rows if row.error)
        waiting = {remote.join(self._request.output, row.output): row for row in self.rows if not row.error}
        execute = self._plugins.load(self._spec)
        orders = iter(sorted(map(self._order, waiting.values()), key=_engine))

        def tell(order: Order, event: Event) -> None:
            watch(waiting[order.output], event)

        with closing(execute(orders, tell=tell, **self._executor_options)) as outcomes:
            for order, outcome in outcomes:
                yield Painted.from_outcome(waiting[order.output], outcome)

    def _folders(self) -> set[Path]:
        """Return the output folders that writing a picture does not create."""
        if remote.is_url(self._request.output):
            return set()
        root = Path(self._request.output)
        return {root, *((root / row.output).parent for row in self.rows if not row.error)}

    def _order(self, row: BatchRow) -> Order:
        request = self._request
        return Order(
            row.content,
            row.styles,
            remote.join(request.output, row.output),
            self._recipe(json.dumps(row.recipe, sort_keys=True, default=asdict)),
            row.masks,
            row.protect,
            chosen=sorted({*request.chosen, *row.recipe}),
            options=asdict(request.options),
            max_pixels=request.max_pixels,
            folder=os.getcwd() if self._is_relative(row) else "",
            fresh=request.fresh,
        )

    def _is_relative(self, row: BatchRow) -> bool:
        """Return whether a row has a path relative to the current folder."""
        styles = [*row.styles, *(style for _, own in row.masks for style in own)]
        works = [work for style in styles for work in ([style] if isinstance(style, str) else style)]
        named = [row.content, *works, *(mask for mask, _ in row.masks), row.protect or "", self._request.output]
        recipe = self._request.recipe.override(**row.recipe)
        named += filter(os.path.exists, (recipe.init, *recipe.weights))
        return any(path and not (remote.is_url(path) or os.path.isabs(path)) for path in named)

    @cache  # noqa: B019 - rows with one recipe share it
    def _recipe(self, own: str) -> Mapping[str, Any]:
        return self._request.recipe.override(**json.loads(own)).to_dict()


def _engine(order: Order) -> str:
    """Return a sort key that is equal for orders of one loaded backend."""
    return json.dumps([order.recipe[name] for name in ENGINE_FIELDS], sort_keys=True)


def batch(
    content: str | Sequence[str] = (),
    style: str | Sequence[str] = (),
    output: str | os.PathLike[str] = "out",
    recipe: Recipe | None = None,
    *,
    pairs: str | os.PathLike[str] | None = None,
    executor: str = "local",
    executor_options: Mapping[str, OptionValue] | None = None,
    options: WriteOptions | None = None,
    fresh: bool = False,
    plugins: Plugins | None = None,
    watch: BatchWatch = lambda row, event: None,
) -> Iterator[Painted]:
    """Stylize every content with every style into a folder, and yield each result when it is finished.

    `content` and `style` are patterns, folders or paths, one or several; or `pairs` names a CSV or TOML file that lists
    the pictures (`nst.batches.manifest`). A failed picture is a result with a message. Existing pictures with the same
    inputs are kept, unless `fresh`. At the end, `report.csv` and `index.html` are written into the folder. Prints
    nothing. Raises `UserError` with all mistakes of the request, before the first picture starts.
    """
    shared, listed = rows_of(_several(content), _several(style), pairs)
    shared_recipe, settings = recipe or Recipe().override(**shared), executor_options or {}
    write_options = options or WriteOptions()
    request = BatchRequest(listed, os.fspath(output), shared_recipe, executor, settings, write_options, fresh)
    return Series(request, plugins or Plugins.from_environment()).run(watch)


def rows_of(
    content: Sequence[str], style: Sequence[str], pairs: str | os.PathLike[str] | None
) -> tuple[dict[str, Any], list[BatchRow]]:
    """Return the recipe that a TOML file gives for all rows, and the rows. Raises `UserError`."""
    if pairs is None:
        return {}, rows.pairs(content, style)
    if content or style:
        raise UserError("--pairs says what to paint like what", "leave --content and --style out")
    path = Path(pairs)
    return manifest.read_toml(path) if path.suffix.lower() == ".toml" else ({}, manifest.read_csv(path))


def _several(named: str | Sequence[str]) -> Sequence[str]:
    return [named] if isinstance(named, str) else named
