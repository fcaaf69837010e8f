"""`nst stylize`: one picture."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

from nst.cli.recipe_options import recipe_options

Output = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="where the picture goes: PNG, JPEG, WebP, AVIF or TIFF")
]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE", help="write losses, times and facts: .json, .html or .png")
]
Film = Annotated[
    Path | None, typer.Option("--timelapse", metavar="FILE", help="a film of the steps: .mp4, .gif, .webp or .png")
]
MaxPixels = Annotated[
    int | None,
    typer.Option("--max-pixels", metavar="N", help="most pixels in a picture that is opened (default: 89 million)"),
]
BitDepth = Annotated[
    str,
    typer.Option("--bit-depth", metavar="auto|8|16", help="bits per channel; auto keeps the content's in PNG and TIFF"),
]
Metadata = Annotated[
    str,
    typer.Option(
        "--metadata", metavar="keep|strip", help="camera, exposure and dates of the content; its place is never kept"
    ),
]
KeepProfile = Annotated[bool, typer.Option("--keep-profile", help="write in the content's color profile, not in sRGB")]
CheckpointEvery = Annotated[
    float,
    typer.Option("--checkpoint-every", metavar="SECONDS", help="how often to write it; also at the end of each size"),
]
Quality = Annotated[int, typer.Option("--quality", metavar="1-100", help="quality of JPEG, WebP and AVIF")]
Masks = Annotated[
    list[str] | None,
    typer.Option(
        "--mask",
        metavar="MASK:STYLE[,…]",
        help="use these styles where the mask is white; may be repeated. Without a STYLE for the rest, the rest stays "
        'a photograph. Names with colons or commas: a JSON list, ["MASK", "STYLE"]',
    ),
]
Protect = Annotated[
    str | None, typer.Option("--protect", metavar="MASK", help="keep the photograph where the mask is white")
]
PRESETS = "default, portrait, quick, mixed or gatys"
Preset = Annotated[str | None, typer.Option("--preset", metavar="NAME", help=PRESETS)]
RecipeFile = Annotated[
    Path | None, typer.Option("--recipe", metavar="FILE", help="a recipe in TOML; options override it")
]


@recipe_options
def stylize(
    content: Annotated[str, typer.Argument(metavar="CONTENT", help="the picture to paint")],
    output: Output,
    given: dict[str, Any],
    styles: Annotated[
        list[str] | None,
        typer.Argument(metavar="STYLE", help="the pictures to paint it like; a folder counts as one style"),
    ] = None,
    mask: Masks = None,
    protect: Protect = None,
    preset: Preset = None,
    recipe: RecipeFile = None,
    save_every: Annotated[
        int,
        typer.Option("--save-every", metavar="N", help="also save every Nth step, numbered; 0 saves the result only"),
    ] = 0,
    checkpoint: Annotated[
        Path | None, typer.Option("--checkpoint", metavar="FILE", help="a file from which nst resume can go on")
    ] = None,
    checkpoint_every: CheckpointEvery = 60,
    timelapse: Film = None,
    report: Report = None,
    max_pixels: MaxPixels = None,
    bit_depth: BitDepth = "auto",
    metadata: Metadata = "keep",
    keep_profile: KeepProfile = False,
    quality: Quality = 95,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="print nothing but errors")] = False,
    act: Any = None,
) -> int:
    """See `nst.cli.commands`."""
    from nst.cli.session import Session
    from nst.errors import Findings
    from nst.images import WriteOptions
    from nst.job.inputs import Sources, parse_mask

    options = WriteOptions(bit_depth, metadata, keep_profile, quality)
    session = Session(
        output,
        report=report,
        save_every=save_every,
        checkpoint=checkpoint,
        checkpoint_every=checkpoint_every,
        timelapse=timelapse,
        quiet=quiet,
        options=options,
    )
    made, mistakes = session.recipe(given, preset, recipe)
    found = Findings()
    masks = [pair for text in mask or () if (pair := found.attempt(partial(parse_mask, text)))]
    sources = Sources(content, styles or [], masks, protect)
    job = session.job(sources, made, [*mistakes, *found.errors], max_pixels)
    return int(session.run(job) if act is None else act(job))
