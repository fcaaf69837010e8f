"""Check whether an output is up to date, by comparing its embedded provenance with the requested inputs."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from nst.errors import NstError
from nst.images import WriteOptions
from nst.job.inputs import Sources, style_sources
from nst.job.validation import is_file
from nst.persistence import input_files, provenance
from nst.persistence.provenance import Record
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe
from nst.weights import selection

Digests = dict[Any, str]
"""A cache of the SHA-256 of weight files, by backend, name, and the file's size and time."""

SIZES = (1, 2)
"""Numbers of sizes to try: the weights of `auto` differ between a single size and several."""


def is_up_to_date(
    output: str, sources: Sources, recipe: Recipe, options: WriteOptions, plugins: Plugins, seen: Digests
) -> bool:
    """Check whether the image at `output` was made from these files with this recipe and these options.

    Weights are compared by SHA-256; versions of software are ignored. Opens no backend.
    """
    with suppress(NstError, OSError):  # no image, no record in it, or a missing input
        return os.path.isfile(output) and _same(provenance.read(output), sources, recipe, options, plugins, seen)
    return False


def _same(
    record: Record, sources: Sources, recipe: Recipe, options: WriteOptions, plugins: Plugins, seen: Digests
) -> bool:
    return (
        record.recipe.override(weights=recipe.weights) == recipe
        and record.options == options
        and [(file.role, file.sha256) for file in record.inputs if file.role != "weights"]
        == [*_inputs(sources, recipe)]
        and any({*record.weights.values()} == {*_weights(recipe, sizes, plugins, seen)} for sizes in SIZES)
    )


def _inputs(sources: Sources, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Yield role and SHA-256 of every file, in the order of a record."""
    named = [("content", sources.content), *(("style", path) for path in _style_paths(sources.styles))]
    for mask, styles in sources.masks:
        named += [("mask", mask), *(("style", path) for path in _style_paths(styles))]
    named += [("protect", sources.protect)] if sources.protect else []
    named += [("init", recipe.init)] if is_file(recipe.init) else []
    for role, path in named:
        yield role, input_files.read(role, path).sha256


def _style_paths(styles: Any) -> Iterator[str]:
    yield from (path for style in styles for path in style_sources(style))


def _weights(recipe: Recipe, sizes: int, plugins: Plugins, seen: Digests) -> Iterator[str]:
    spec = plugins.find("backend", recipe.backend)
    for choice in selection.choose_all(spec, recipe.weights, sizes):
        key = spec.name, choice.name, choice.stamp()
        if key not in seen:
            seen[key] = choice.source.verify()
        yield seen[key]
