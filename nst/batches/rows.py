"""List the pictures of a batch from patterns of file names: every content with every style."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from glob import glob, has_magic
from pathlib import Path
from typing import Any

from nst.errors import Findings, UserError, raise_all
from nst.io import remote
from nst.job.inputs import PICTURES, is_picture
from nst.orders import StyleSource


@dataclass(frozen=True)
class BatchRow:
    """One picture: `number` counts from 1, `output` is a name in the folder, "" until it is named.

    `recipe` are the values that differ from the shared recipe. `error` says why the picture is refused.
    """

    number: int
    content: str
    styles: Sequence[StyleSource]
    output: str = ""
    recipe: Mapping[str, Any] = field(default_factory=dict)
    masks: Sequence[tuple[str, Sequence[str]]] = ()
    protect: str | None = None
    error: UserError | None = None


def pairs(contents: Sequence[str], styles: Sequence[str]) -> list[BatchRow]:
    """Return a row for every content with every style. Raises `UserError` for each pattern without a match."""
    findings = Findings()
    named = {"--content": contents, "--style": styles}
    paths = {option: [*_expanded(findings, option, patterns)] for option, patterns in named.items()}
    raise_all(findings.errors)
    every = ((content, style) for content in paths["--content"] for style in paths["--style"])
    return [BatchRow(number, content, [style]) for number, (content, style) in enumerate(every, start=1)]


def _expanded(findings: Findings, option: str, patterns: Sequence[str]) -> Iterable[str]:
    if not patterns:
        findings.add(UserError(f"there is no {option}", f"{option} 'folder/*.jpg', or --pairs FILE for both"))
    lists = [findings.attempt(partial(expand, option, pattern)) or [] for pattern in patterns]
    return dict.fromkeys(path for paths in lists for path in paths)


def expand(option: str, pattern: str) -> list[str]:
    """List the images that a pattern, a folder or a path names, by name. Raises `UserError` for none."""
    if remote.is_url(pattern):
        paths = remote.glob(pattern)
    elif os.path.isdir(pattern):
        paths = [str(path) for path in Path(pattern).iterdir()]
    elif os.path.exists(pattern) or not has_magic(pattern):
        return [pattern]
    else:
        paths = glob(pattern, recursive=True)
    images = sorted(filter(is_picture, paths))
    if not images:
        others = f"; of {len(paths)} files none is a picture" if paths else ""
        hint = f"a picture ends in {', '.join(PICTURES)}; quote a pattern, so that the shell leaves it alone"
        raise UserError(f"{option} '{pattern}' names no picture{others}", hint)
    return images
