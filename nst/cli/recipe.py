"""`nst recipe`: the choices behind a picture, a preset or a file, as TOML."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer

from nst.recipe.recipe import Recipe

RecipeSource = Annotated[
    str, typer.Argument(metavar="FILE|PRESET|PICTURE", help="a recipe file, a preset, or a picture that nst has made")
]
All = Annotated[bool, typer.Option("--all", help="also the fields at their defaults")]

AS_BY_DEFAULT = "# every field is at its default; --all lists them\n"


def show(source: RecipeSource, every: All = False) -> None:
    """See `nst.cli.commands`."""
    typer.echo(_written(_recipe(source), every), nl=False)


def diff(first: RecipeSource, second: RecipeSource) -> None:
    """See `nst.cli.commands`."""
    from nst.io import toml
    from nst.recipe.recipe import FIELDS

    one, other = _recipe(first).to_dict(), _recipe(second).to_dict()
    for name in FIELDS:
        if one[name] != other[name]:
            for sign, values in (("- ", one), ("+ ", other)):
                typer.echo(indent(toml.dumps({name: values[name]}), sign), nl=False)


def save(
    source: RecipeSource,
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="the TOML file to write")],
    every: All = False,
) -> None:
    """See `nst.cli.commands`."""
    from nst.cli.outputs import check_writable
    from nst.errors import NstError
    from nst.io import atomic

    text = _written(_recipe(source), every)
    if mistake := check_writable(output):
        raise mistake
    try:
        atomic.replace(output, lambda file: file.write(text.encode()))
    except OSError as error:
        raise NstError(f"cannot write '{output}': {error.strerror}") from error


def _recipe(source: str) -> Recipe:
    """Read the recipe of a TOML file, a preset or a picture. Raises `UserError` with every mistake of the recipe."""
    from nst import images
    from nst.errors import raise_all, unknown
    from nst.persistence import provenance
    from nst.recipe.recipe import load, preset, presets, read

    if Path(source).suffix.lower() in images.SUFFIXES:
        return provenance.read(source).recipe
    if source not in presets() and not Path(source).suffix and not Path(source).exists():
        raise unknown("preset", source, presets(), "(or give a recipe file, or a picture that nst has made)")
    values, errors = read(preset(source) if source in presets() else load(source))
    raise_all(errors)
    return Recipe(**values)


def _written(recipe: Recipe, every: bool) -> str:
    from nst.io import toml

    return toml.dumps(recipe.to_dict() if every else recipe.departures()) or AS_BY_DEFAULT
