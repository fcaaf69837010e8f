"""`nst demo`: paint a sample photograph like a painting that nst generates."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli.options import Preset, Quiet, Verbose
from nst.cli.recipe_options import RecipeOptions


class Photo(StrEnum):
    """The photographs of scikit-image in the public domain (CC0)."""

    astronaut = "astronaut"
    chelsea = "chelsea"
    coffee = "coffee"


@dataclass
class DemoCommand(RecipeOptions):
    """`nst demo`."""

    output: Annotated[Path, typer.Option("-o", "--output", metavar="FOLDER", help="the folder of the pictures")] = Path(
        "nst-demo"
    )
    photo: Annotated[Photo, typer.Option("--photo", help="the photograph to paint")] = Photo.astronaut
    preset: Preset = None
    quiet: Quiet = False
    verbose: Verbose = False

    def run(self) -> int:
        """Write the photograph, the painting, the result and a sheet of all three."""
        from nst import images
        from nst.cli.session import Session, say
        from nst.errors import raise_all
        from nst.images.demo_painting import paint_demo
        from nst.job.inputs import Sources
        from nst.job.validation import Call, find_mistakes
        from nst.plugins.host import Plugins
        from nst.reports.side_by_side import side_by_side

        names = ("content", "style", "result", "sheet")
        content, style, result, sheet = (self.output / f"{name}.png" for name in names)
        session = Session(result, quiet=self.quiet, verbose=self.verbose)
        recipe, mistakes = session.recipe(self.chosen, self.preset)
        raise_all([*mistakes, *find_mistakes(recipe, Plugins.from_environment(), Call())])  # before anything is written
        photograph = _photograph(self.photo)
        _create_folder(self.output)
        images.write(content, images.read(photograph).pixels)
        images.write(style, paint_demo())
        code = session.run(session.job(Sources(str(content), [str(style)]), recipe, mistakes))
        pictures = {path.stem: images.load_image(path) for path in (content, style, result)}
        images.write(sheet, side_by_side(pictures))
        if not self.quiet:
            say(f"Saved {sheet}: photograph, painting and result side by side")
        return code


def _create_folder(folder: Path) -> None:
    from nst.errors import UserError

    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"cannot create the folder '{folder}': {error.strerror}", "choose another with -o") from None


def _photograph(photo: Photo) -> Any:
    from nst.errors import UserError

    try:
        from skimage import data
    except ImportError:
        raise UserError("nst demo needs scikit-image for its photograph", "pip install 'nst[demo]'") from None
    return getattr(data, photo.value)()
