"""`nst demo`: a real photograph, a painting of our own, and what becomes of them."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options


class Photo(StrEnum):
    """scikit-image's photographs in the public domain (CC0)."""

    astronaut = "astronaut"
    chelsea = "chelsea"
    coffee = "coffee"


@recipe_options
def demo(
    given: dict[str, Any],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="where the pictures go")] = Path(
        "nst-demo"
    ),
    photo: Annotated[Photo, typer.Option("--photo", help="which photograph")] = Photo.astronaut,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst import images
    from nst.cli.session import Session, say
    from nst.errors import raise_all
    from nst.images.demo_painting import paint
    from nst.job.inputs import Sources
    from nst.job.validation import Call, find_mistakes
    from nst.plugins.host import Plugins
    from nst.reports.side_by_side import side_by_side

    content, style, result, sheet = (output / f"{name}.png" for name in ("content", "style", "result", "sheet"))
    session = Session(result, quiet=quiet)
    made, mistakes = session.recipe(given, None, None)
    raise_all([*mistakes, *find_mistakes(made, Plugins.from_environment(), Call())])  # before anything is written
    photograph = _photograph(photo)
    _make(output)
    images.write(content, images.read(photograph).pixels)
    images.write(style, paint())
    code = session.run(session.job(Sources(str(content), [str(style)]), made, mistakes))
    pictures = {path.stem: images.load_image(path) for path in (content, style, result)}
    images.write(sheet, side_by_side(pictures))
    if not quiet:
        say(f"all three side by side: {sheet}")
    return code


def _make(folder: Path) -> None:
    from nst.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot make the folder '{folder}': {error.strerror}", "choose another place") from None


def _photograph(photo: Photo) -> Any:
    from nst.errors import UserError

    try:
        from skimage import data
    except ImportError:
        raise UserError("nst demo needs scikit-image for its photograph", "pip install 'nst[demo]'") from None
    return getattr(data, photo.value)()
