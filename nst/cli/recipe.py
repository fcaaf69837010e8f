"""`nst recipe`: show, compare and save recipes, as TOML."""

from __future__ import annotations

from pathlib import Path
from textwrap import indent
from typing import Annotated

import typer

from nst.cli.progress import say
from nst.recipe.recipe import Recipe

RecipeSource = Annotated[
    str, typer.Argument(metavar="FILE|PRESET|PICTURE", help="a recipe file, a preset, or a picture that nst has made")
]
All = Annotated[bool, typer.Option("--all", help="include the fields that have their default value")]

ALL_DEFAULTS = "# every field has its default value; --all lists them\n"


def show(source: RecipeSource, include_defaults: All = False) -> None:
    """See `nst.cli.commands`."""
    typer.echo(_format(_recipe(source), include_defaults), nl=False)


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
    include_defaults: All = False,
) -> None:
    """See `nst.cli.commands`."""
    from nst.cli.outputs import check_writable
    from nst.errors import NstError
    from nst.io import atomic

    text = _format(_recipe(source), include_defaults)
    if mistake := check_writable(output):
        raise mistake
    try:
        atomic.replace(output, lambda file: file.write(text.encode()))
    except OSError as error:
        raise NstError(f"cannot write '{output}': {error.strerror}") from error
    say(f"Saved {output}")


def _recipe(source: str) -> Recipe:
    """Read the recipe of a TOML file, a preset or a picture. Raises `UserError` with every mistake of the recipe."""
    from nst import images
    from nst.errors import raise_all, unknown
    from nst.persistence import provenance
    from nst.recipe.recipe import load_recipe, preset, presets, read_fields

    if Path(source).suffix.lower() in images.SUFFIXES:
        return provenance.read(source).recipe
    if source not in presets() and not Path(source).suffix and not Path(source).exists():
        raise unknown("preset", source, presets(), "(or give a recipe file, or a picture that nst has made)")
    values, errors = read_fields(preset(source) if source in presets() else load_recipe(source))
    raise_all(errors)
    return Recipe(**values)


def _format(recipe: Recipe, include_defaults: bool) -> str:
    from nst.io import toml

    return toml.dumps(recipe.to_dict() if include_defaults else recipe.departures()) or ALL_DEFAULTS
