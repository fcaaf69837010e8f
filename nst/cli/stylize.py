"""`nst stylize`: one picture."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options

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
CheckpointEvery = Annotated[
    float, typer.Option("--checkpoint-every", metavar="SECONDS", help="how often; also at the end of each size")
]
Quality = Annotated[int, typer.Option("--quality", metavar="1-100", help="of JPEG, WebP and AVIF")]


@recipe_options
def stylize(
    content: Annotated[str, typer.Argument(metavar="CONTENT", help="the picture to paint")],
    styles: Annotated[list[str], typer.Argument(metavar="STYLE", help="the pictures to paint it like")],
    output: Output,
    given: dict[str, Any],
    preset: Annotated[str | None, typer.Option("--preset", metavar="NAME", help="default, quick or gatys")] = None,
    recipe: Annotated[
        Path | None, typer.Option("--recipe", metavar="FILE", help="a recipe in TOML; options override it")
    ] = None,
    save_every: Annotated[
        int, typer.Option("--save-every", metavar="N", help="also save every Nth step, numbered")
    ] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="FILE", help="keep what nst resume needs to go on")
    ] = None,
    checkpoint_every: CheckpointEvery = 60,
    report: Report = None,
    max_pixels: MaxPixels = None,
    bit_depth: BitDepth = "auto",
    metadata: Metadata = "keep",
    keep_profile: KeepProfile = False,
    quality: Quality = 95,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session
    from nst.images import WriteOptions

    options = WriteOptions(bit_depth, metadata, keep_profile, quality)
    session = Session(
        output,
        report=report,
        save_every=save_every,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        quiet=quiet,
        options=options,
    )
    made, mistakes = session.recipe(given, preset, recipe)
    job = session.job(content, styles, made, mistakes, max_pixels)
    return session.run(job)
