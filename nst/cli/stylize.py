"""`nst stylize`: one picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options

if TYPE_CHECKING:
    from nst.cli.session import Session
    from nst.job import Job

Content = Annotated[str, typer.Argument(metavar="CONTENT", help="the picture to paint")]
Styles = Annotated[
    list[str] | None, typer.Argument(metavar="STYLE", help="the pictures to paint it like; a folder is one style")
]
Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="where the picture goes: PNG, JPEG, WebP, AVIF or TIFF")
]
Report = Annotated[Path | None, typer.Option("--report", metavar="FILE", help="write losses, times and facts as JSON")]
MaxPixels = Annotated[
    int | None, typer.Option("--max-pixels", metavar="N", help="largest picture to open (default: Pillow's limit)")
]
BitDepth = Annotated[
    str,
    typer.Option("--bit-depth", metavar="auto|8|16", help="bits a channel; auto: as the content has, in PNG and TIFF"),
]
Metadata = Annotated[
    str,
    typer.Option("--metadata", metavar="keep|strip", help="the content's camera, exposure and dates; never its place"),
]
KeepProfile = Annotated[bool, typer.Option("--keep-profile", help="write in the content's color profile, not in sRGB")]
Quality = Annotated[int, typer.Option("--quality", metavar="1-100", help="of JPEG, WebP and AVIF")]
Masks = Annotated[
    list[str] | None,
    typer.Option(
        "--mask",
        metavar="MASK:STYLE[,…]",
        help="where the mask is white, paint like these instead; may be given again. Without any STYLE for the rest, "
        "the rest stays as it is",
    ),
]
Protect = Annotated[
    str | None, typer.Option("--protect", metavar="MASK", help="where the mask is white, hold on to the content")
]

Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help="default, quick or gatys")]
RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", metavar="FILE", help="a recipe in TOML; options override it")
]
SaveEvery = Annotated[int, typer.Option("--save-every", metavar="N", help="also save every Nth step, numbered")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")]


@recipe_options
def stylize(
    content: Content,
    output: Output,
    given: dict[str, Any],
    styles: Styles = None,
    mask: Masks = None,
    protect: Protect = None,
    preset: Preset = None,
    recipe: RecipeFile = None,
    save_every: SaveEvery = 0,
    report: Report = None,
    max_pixels: MaxPixels = None,
    bit_depth: BitDepth = "auto",
    metadata: Metadata = "keep",
    keep_profile: KeepProfile = False,
    quality: Quality = 95,
    quiet: Quiet = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.images import WriteOptions

    options = WriteOptions(bit_depth, metadata, keep_profile, quality)
    settings = {"report": report, "save_every": save_every, "quiet": quiet, "options": options}
    session, job = prepared(content, styles, output, given, mask, protect, preset, recipe, max_pixels, **settings)
    return session.run(job)


def prepared(
    content: str,
    styles: list[str] | None,
    output: Path,
    given: dict[str, Any],
    mask: list[str] | None,
    protect: str | None,
    preset: str | None,
    recipe: Path | None,
    max_pixels: int | None,
    **settings: Any,
) -> tuple[Session, Job]:
    """A session with these settings and its checked job. Raises every mistake together."""
    from nst.cli.session import Session
    from nst.errors import Findings
    from nst.inputs import Sources, masked

    session = Session(output, **settings)
    made, mistakes = session.recipe(given, preset, recipe)
    found = Findings()
    masks = [pair for text in mask or () if (pair := found.attempt(partial(masked, text)))]
    sources = Sources(content, styles or [], masks, protect)
    return session, session.job(sources, made, [*mistakes, *found.errors], max_pixels)
