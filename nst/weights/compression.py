"""Describe the compression of a VGG: the task, its progress and its result. A backend does the computation.

A backend names its `Compressor` in `BackendSpec.compressor`. User mistakes are detected here, before it starts.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from nst.errors import Findings, UserError
from nst.vgg.architecture import BLOCKS
from nst.vgg.network import Network

DEEPEST = "conv5_1"  # what a teacher must reach: the deepest layer of the default style loss
CROP = 32, 512  # pixels a side, from the least that leaves block 5 two positions each way
WIDTHS_HINT = "give one number per block, such as 32,48,80,128,128, or one per convolution"


@dataclass(frozen=True)
class CompressionTask:
    """A network to compress: `widths` are the channels of each convolution, `folders` lists of picture files.

    Every folder supplies an equal share of the fitted pictures, squares of `crop` pixels. Then follow `steps` of
    training, first of the complete network, then of blocks 4 and 5 alone. The same seed gives the same network on the
    same machine. `start` is an earlier slim network, whose channels are kept; widths may be larger than its own.
    """

    teacher: Network
    widths: tuple[int, ...]
    folders: Mapping[str, Sequence[Path]]
    seed: int
    steps: tuple[int, int]
    crop: int
    start: Network | None = None


@dataclass(frozen=True)
class CompressionProgress:
    """`done` of `total` in a stage, with a message; `network` returns the current result, once one exists."""

    stage: str
    done: int
    total: int
    detail: str = ""
    network: Callable[[], Network] | None = None


@dataclass(frozen=True)
class Compressed:
    """The slim network, its training and quality as JSON data; `interrupted` when Ctrl-C ended the training."""

    network: Network
    report: Mapping[str, Any]
    interrupted: bool = False


class Compressor(Protocol):
    """Compress the network of a task. Ctrl-C ends the training early and keeps the current network."""

    def __call__(self, task: CompressionTask, on_progress: Callable[[CompressionProgress], None]) -> Compressed: ...  # noqa: D102


def mistakes(task: CompressionTask) -> list[UserError]:
    """Return the errors of a task's numbers and of its teacher."""
    findings = Findings()
    if DEEPEST not in task.teacher.kernels:
        last = list(task.teacher.kernels)[-1]
        findings.add(UserError(f"the teacher ends at {last}; it must reach {DEEPEST}", "choose a deeper teacher"))
    for option, value in (("--seed", task.seed), ("--steps", min(task.steps))):
        if value < 0:
            findings.add(UserError(f"{option} must be 0 or more, not {value}"))
    if not CROP[0] <= task.crop <= CROP[1]:
        findings.add(UserError(f"--crop must be {CROP[0]} to {CROP[1]} pixels, not {task.crop}", "128 is a good size"))
    return findings.errors


def read_steps(text: str) -> tuple[int, int]:
    """Read `500,3000`: training steps of the complete network, then of blocks 4 and 5 alone. Raises `UserError`."""
    try:
        all_layers, deep = (int(part) for part in text.split(","))
    except ValueError:
        hint = "write it like 500,3000: steps of the whole network, then of blocks 4 and 5 alone, several times as fast"
        raise UserError(f"--steps '{text}' are not two whole numbers", hint) from None
    return all_layers, deep


def read_widths(text: str, teacher: Network) -> tuple[int, ...]:
    """Read numbers per block (`32,48,80,128,128`) or per convolution; return the latter. Raises `UserError`."""
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        raise UserError(f"--widths '{text}' are not whole numbers", WIDTHS_HINT) from None
    names = list(teacher.kernels)
    if len(numbers) == len(BLOCKS[teacher.architecture]):
        numbers = [numbers[int(name[4]) - 1] for name in names]
    if len(numbers) != len(names):
        message = f"--widths has {len(numbers)} numbers; {teacher.architecture} has 5 blocks, {len(names)} convolutions"
        raise UserError(message, WIDTHS_HINT)
    for name, number in zip(names, numbers, strict=True):
        if not 1 <= number <= len(teacher.biases[name]):
            message = f"--widths asks for {number} channels at {name}; the teacher has {len(teacher.biases[name])}"
            raise UserError(message, "give each a number from 1 to the teacher's")
    return tuple(numbers)


def picture_files(folders: Iterable[Path]) -> dict[str, list[Path]]:
    """List the files of each folder by name, without hidden ones. Raises `UserError` for no folder or an empty one.

    Files are checked later, when they are read.
    """
    files_by_folder = {}
    for folder in folders:
        if not os.path.isdir(folder):
            raise UserError(f"there is no folder '{folder}'", "--photos takes folders with photographs and paintings")
        files = sorted(file for file in folder.iterdir() if file.is_file() and not file.name.startswith("."))
        if not files:
            raise UserError(f"no pictures in '{folder}'", "--photos takes folders with photographs and paintings")
        files_by_folder[str(folder)] = files
    if not files_by_folder:
        raise UserError("no --photos", "name a folder with some hundred photographs, and perhaps one with paintings")
    return files_by_folder
