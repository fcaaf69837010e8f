"""Describe the input files of a run, and find them again, by path or by SHA-256."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path

from nst.errors import Findings, NstError, UserError, raise_all
from nst.io.download import sha256_of
from nst.job.inputs import Sources, style_sources
from nst.orders import StyleSource
from nst.recipe.recipe import Recipe

ROLES = ("content", "style", "mask", "protect", "init", "weights")


@dataclass(frozen=True)
class Input:
    """An input file: role, path as given ("" for an image in memory), size in bytes and SHA-256.

    The styles that follow a mask belong to its region. Images of one style have the same number in `style`; 0 is a
    style with a single image.
    """

    role: str
    path: str
    size: int = 0
    sha256: str = ""
    style: int = 0

    def is_at(self, path: str) -> bool:
        """Check whether the file at `path` has this SHA-256."""
        with suppress(OSError, ValueError, NstError):  # no such file, an invalid name, or unreadable
            same_size = os.path.isfile(path) and os.path.getsize(path) == self.size
            return same_size and sha256_of(Path(path)) == self.sha256
        return False

    def find(self, folders: Sequence[Path]) -> str | None:
        """Return the present path: as recorded, relative to one of the folders, or in one of them under any name."""
        return next(filter(self.is_at, self._candidates(folders)), None) if self.sha256 else None

    def places(self, folders: Sequence[Path]) -> list[str]:
        """Return the recorded path relative to the current folder and to each of the folders."""
        return [self.path, *(os.path.join(folder, self.path) for folder in folders)]

    def _candidates(self, folders: Sequence[Path]) -> Iterator[str]:
        yield from self.places(folders)
        for folder in folders:
            with suppress(OSError):
                yield from sorted((entry.path for entry in os.scandir(folder)), key=self._sort_key)

    def _sort_key(self, path: str) -> tuple[bool, str]:
        """Return a key that sorts files of the same name first."""
        return os.path.basename(path) != os.path.basename(self.path), path


def read(role: str, path: str, sha256: str = "", style: int = 0) -> Input:
    """Describe the file at a path; anything but a regular file (`/dev/stdin`, "") counts as memory."""
    if not os.path.isfile(path):
        return Input(role, "", style=style)
    return Input(role, path, os.path.getsize(path), sha256 or sha256_of(Path(path)), style)


@dataclass(frozen=True)
class Located:
    """The present files of a run: `recipe` has the present paths, `notes` name the differences."""

    sources: Sources
    recipe: Recipe
    notes: list[str]


def locate(
    inputs: Sequence[Input],
    recipe: Recipe,
    folders: Sequence[Path],
    *,
    named: Mapping[str, str | Sequence[str] | None] | None = None,
    exact: bool = True,
    skipped: Collection[str] = (),
) -> Located:
    """Find the files of a run, except for the roles in `skipped`.

    `named` gives paths by role, which replace the recorded ones: one path per style, also for a style of several
    images. With `exact` the files must be unchanged; otherwise changed files and any named files are accepted. Raises
    `UserError` with each file not found.
    """
    findings, groups, style_counts = Findings(), *_grouped(inputs)
    search = _Search(findings, folders, exact, bool(groups["mask"]))
    places = {
        role: search.places(role, groups[role], _listed((named or {}).get(role)))
        for role in ROLES
        if role not in skipped
    }
    if 0 in style_counts[1:]:
        findings.add(UserError("the picture does not record which style belongs to its mask", "use nst stylize"))
    raise_all(findings.errors)
    moved = {
        group[0].path: place
        for role in ("init", "weights")
        for group, place in zip(groups[role], places.get(role, ()), strict=False)
    }
    names = {"init": moved.get(recipe.init, recipe.init), "weights": [moved.get(name, name) for name in recipe.weights]}
    return Located(_sources(places, style_counts), recipe.override(**names), search.notes)


def _grouped(inputs: Sequence[Input]) -> tuple[dict[str, list[list[Input]]], list[int]]:
    """Return the files by role, grouped by style, and the number of unmasked styles and of each mask's styles."""
    by_role: dict[str, list[list[Input]]] = {role: [] for role in ROLES}
    style_counts = [0]
    for file in inputs:
        groups = by_role[file.role]
        if file.style and groups and groups[-1][-1].style == file.style:
            groups[-1].append(file)
            continue
        groups.append([file])
        if file.role == "mask":
            style_counts.append(0)
        style_counts[-1] += file.role == "style"
    return by_role, style_counts


def _listed(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _sources(places: Mapping[str, Sequence[StyleSource]], style_counts: Sequence[int]) -> Sources:
    """Build the sources; without masks all styles are unmasked, whatever their number."""
    styles = iter(places["style"])
    unmasked = list(islice(styles, style_counts[0] if places["mask"] else None))
    masks = [
        (str(mask), list(islice(styles, number))) for mask, number in zip(places["mask"], style_counts[1:], strict=True)
    ]
    protect = next(map(str, places["protect"]), None)
    return Sources(str(places["content"][0]), unmasked, masks, protect)


class _Search:
    """A search for files that collects the errors of all of them in `findings`."""

    def __init__(self, findings: Findings, folders: Sequence[Path], exact: bool, masked: bool) -> None:
        self._findings = findings
        self._folders = folders
        self._exact = exact
        self._masked = masked
        self.notes: list[str] = []

    def places(self, role: str, groups: Sequence[Sequence[Input]], named: Sequence[str]) -> list[StyleSource]:
        """Return the present paths of the files of a role, or the named ones."""
        if role in ("content", "style") and not (groups or named):
            self._findings.add(UserError(f"the picture does not record its {role}", f"--{role} FILE"))
        if named:
            self._findings.attempt(partial(self._check, role, groups, named))
            return list(named)
        return [self._style_place(group) for group in groups]

    def _style_place(self, group: Sequence[Input]) -> StyleSource:
        places = [self._findings.attempt(partial(self._place, file)) or "" for file in group]
        return places if len(places) > 1 else places[0]

    def _place(self, file: Input) -> str:
        """Return the present path of a file. Raises `UserError`."""
        if place := file.find(self._folders):
            if place != file.path:
                self.notes.append(f"{file.role} {file.path} is now {place}")
            return place
        option = f"--{file.role} FILE"
        if not file.path:
            raise UserError(f"the {file.role} was not read from a file", option)
        changed = next(filter(os.path.isfile, file.places(self._folders)), None)
        if changed is None:
            raise UserError(f"the {file.role} {file.path} is gone", f"{option}, or put it into this folder")
        if self._exact:
            raise UserError(f"the {file.role} {file.path} has changed", f"{option}, naming it as it was")
        self.notes.append(f"{file.role} {file.path} has changed")
        return changed

    def _check(self, role: str, groups: Sequence[Sequence[Input]], named: Sequence[str]) -> None:
        """Raise `UserError` unless the named files may replace those of a role."""
        fixed = self._exact or role == "mask" or (role == "style" and self._masked)
        if fixed and len(named) != len(groups):
            raise UserError(f"--{role} is given {len(named)} times for {len(groups)}", "name one for each, or none")
        if self._exact:
            for group, path in zip(groups, named, strict=True):
                _check_same(group, path)
        elif groups:
            self.notes.append(f"{role}: {', '.join(named)} in place of {', '.join(map(_describe, groups))}")


def _check_same(group: Sequence[Input], path: str) -> None:
    """Raise `UserError` unless the file, or the images of the folder, have the recorded SHA-256."""
    role = group[0].role
    paths = style_sources(path) if role == "style" else [path]
    if len(paths) != len(group) or not all(file.is_at(place) for file, place in zip(group, paths, strict=True)):
        raise UserError(f"{path} is not the {role} of this run ({_describe(group)})", "name it as it was then")


def _describe(group: Sequence[Input]) -> str:
    first = group[0].path or "what was in memory"
    return first if len(group) == 1 else f"{first} and {len(group) - 1} more"
