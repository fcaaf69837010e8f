"""Whether a picture is there already, made of the very same: by what it carries of its making."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

from nst.errors import NstError
from nst.images import WriteOptions
from nst.job.inputs import Sources, works
from nst.job.validation import is_file
from nst.persistence import input_files, provenance
from nst.persistence.provenance import Record
from nst.plugins.host import Plugins
from nst.recipe.recipe import Recipe
from nst.weights import selection

Digests = dict[Any, str]
"""SHA-256 of weight files seen before, by backend, name, and the file's size and time."""

SIZES = (1, 2)
"""For one size `auto` means one thing, for any more another; how many there are the recipe and the content say."""


def kept(output: str, sources: Sources, recipe: Recipe, options: WriteOptions, plugins: Plugins, seen: Digests) -> bool:
    """Whether the picture at `output` was made of these files with this recipe, written like this.

    The weights are compared by what is in them, versions of software not at all. Opens no backend.
    """
    with suppress(NstError, OSError):  # no picture, or nothing it says, or what it is to be made of is not there
        return os.path.isfile(output) and _same(provenance.read(output), sources, recipe, options, plugins, seen)
    return False


def _same(
    was: Record, sources: Sources, recipe: Recipe, options: WriteOptions, plugins: Plugins, seen: Digests
) -> bool:
    return (
        was.recipe.override(weights=recipe.weights) == recipe
        and was.options == options
        and [(each.role, each.sha256) for each in was.inputs if each.role != "weights"] == [*_inputs(sources, recipe)]
        and any({*was.weights.values()} == {*_weights(recipe, sizes, plugins, seen)} for sizes in SIZES)
    )


def _inputs(sources: Sources, recipe: Recipe) -> Iterator[tuple[str, str]]:
    """Role and SHA-256 of every file, in the order of a record's."""
    named = [("content", sources.content), *(("style", each) for each in _works(sources.styles))]
    for mask, styles in sources.masks:
        named += [("mask", mask), *(("style", each) for each in _works(styles))]
    named += [("protect", sources.protect)] if sources.protect else []
    named += [("init", recipe.init)] if is_file(recipe.init) else []
    for role, path in named:
        yield role, input_files.read(role, path).sha256


def _works(styles: Any) -> Iterator[str]:
    yield from (work for style in styles for work in works(style))


def _weights(recipe: Recipe, sizes: int, plugins: Plugins, seen: Digests) -> Iterator[str]:
    spec = plugins.find("backend", recipe.backend)
    for choice in selection.choose_all(spec, recipe.weights, sizes):
        key = spec.name, choice.name, choice.stamp()
        if key not in seen:
            seen[key] = choice.source.verify()
        yield seen[key]
