"""`nst weights compress`: make a small, fast network from a full one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer

from nst.cli.options import Command
from nst.cli.weights import DEFAULT_BACKEND, Backend


@dataclass
class CompressCommand(Command):
    """`nst weights compress`."""

    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FILE", help="the file to write, safetensors in float16")
    ]
    photos: Annotated[
        list[Path],
        typer.Option(
            "--photos",
            metavar="DIR",
            help="folder of pictures to fit the network to; may be repeated, and all folders count equally",
        ),
    ]
    teacher: Annotated[str, typer.Option("--teacher", metavar="NAME|PATH", help="the weights to compress")] = "imagenet"
    widths: Annotated[str, typer.Option("--widths", metavar="N,N,…", help="channels per block, or per convolution")] = (
        "32,48,80,128,128"
    )
    steps: Annotated[
        str, typer.Option("--steps", metavar="N,N", help="training steps of the whole network, then of blocks 4 and 5")
    ] = "500,2000"
    seed: Annotated[int, typer.Option("--seed", metavar="N", help="seed of everything random")] = 0
    crop: Annotated[
        int, typer.Option("--crop", metavar="PIXELS", help="side of the squares cut from the pictures, in pixels")
    ] = 128
    start: Annotated[
        Path | None,
        typer.Option("--start", metavar="FILE", help="continue from this small network, written by an earlier run"),
    ] = None
    save_every: Annotated[
        int,
        typer.Option("--save-every", metavar="N", help="also save the network every N steps; 0 saves only the result"),
    ] = 0
    report: Annotated[
        Path | None,
        typer.Option("--report", metavar="FILE", help="write how good the network is, as JSON (.json) or Markdown"),
    ] = None
    backend: Backend = DEFAULT_BACKEND

    def run(self) -> int:
        """Compress the network."""
        from nst.cli.compressing import compress

        return compress(self)
