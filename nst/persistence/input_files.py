"""The files a run reads, and finding them again: where they were, or by their SHA-256."""

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
from nst.job.inputs import Sources, StyleInput, style_sources
from nst.recipe.recipe import Recipe

ROLES = ("content", "style", "mask", "protect", "init", "weights")


@dataclass(frozen=True)
class Input:
    """A file by its role, its path as given, its size in bytes and its SHA-256; without a path it was in memory.

    Styles after a mask are for what it covers. Works of one style have its number in `style`; 0 is one by itself.
    """

    role: str
    path: str
    size: int = 0
    sha256: str = ""
    style: int = 0

    def is_at(self, path: str) -> bool:
        """Whether the file at `path` is this one, to the last bit."""
        with suppress(OSError, ValueError, NstError):  # none there, no name for one, or not to be read
            found = os.path.isfile(path) and os.path.getsize(path) == self.size
            return found and sha256_of(Path(path)) == self.sha256
        return False

    def find(self, folders: Sequence[Path]) -> str | None:
        """Where the file is: at its path, there seen from one of the folders, or in one under any name."""
        return next(filter(self.is_at, self._anywhere(folders)), None) if self.sha256 else None

    def places(self, folders: Sequence[Path]) -> list[str]:
        """Where its path may lead: from here, or from one of the folders."""
        return [self.path, *(os.path.join(folder, self.path) for folder in folders)]

    def _anywhere(self, folders: Sequence[Path]) -> Iterator[str]:
        yield from self.places(folders)
        for folder in folders:
            with suppress(OSError):
                yield from sorted((entry.path for entry in os.scandir(folder)), key=self._unlike)

    def _unlike(self, path: str) -> tuple[bool, str]:
        """Sorts files of the same name first."""
        return os.path.basename(path) != os.path.basename(self.path), path


def read(role: str, path: str, sha256: str = "", style: int = 0) -> Input:
    """The file at a path as it is now; what is no file (`/dev/stdin`, "") can only be read once."""
    if not os.path.isfile(path):
        return Input(role, "", style=style)
    return Input(role, path, os.path.getsize(path), sha256 or sha256_of(Path(path)), style)


@dataclass(frozen=True)
class Located:
    """Where a run's files are now: `recipe` names its own anew, `notes` say what is not as it was."""

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
    """Find the files of a run again, but for the roles that are `skipped`.

    `named` are by role the paths where the person says they are, one for each style and not for each of its works.
    `exact` asks for the very files; else one that has changed will do, and any other that the person names. Raises
    `UserError` for each that is not found.
    """
    found, groups, shares = Findings(), *_grouped(inputs)
    search = _Search(found, folders, exact, bool(groups["mask"]))
    places = {
        role: search.places(role, groups[role], _listed((named or {}).get(role)))
        for role in ROLES
        if role not in skipped
    }
    if 0 in shares[1:]:
        found.add(UserError("the picture does not record which style belongs to its mask", "use nst stylize"))
    raise_all(found.errors)
    moved = {
        group[0].path: place
        for role in ("init", "weights")
        for group, place in zip(groups[role], places.get(role, ()), strict=False)
    }
    names = {"init": moved.get(recipe.init, recipe.init), "weights": [moved.get(name, name) for name in recipe.weights]}
    return Located(_sources(places, shares), recipe.override(**names), search.notes)


def _grouped(inputs: Sequence[Input]) -> tuple[dict[str, list[list[Input]]], list[int]]:
    """The files by role, works of one style together, and how many styles the whole has and then each mask."""
    found: dict[str, list[list[Input]]] = {role: [] for role in ROLES}
    shares = [0]
    for each in inputs:
        groups = found[each.role]
        if each.style and groups and groups[-1][-1].style == each.style:
            groups[-1].append(each)
            continue
        groups.append([each])
        if each.role == "mask":
            shares.append(0)
        shares[-1] += each.role == "style"
    return found, shares


def _listed(value: str | Sequence[str] | None) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def _sources(places: Mapping[str, Sequence[StyleInput]], shares: Sequence[int]) -> Sources:
    """Without masks all styles are the whole's, however many there were."""
    styles = iter(places["style"])
    whole = list(islice(styles, shares[0] if places["mask"] else None))
    masks = [(str(mask), list(islice(styles, share))) for mask, share in zip(places["mask"], shares[1:], strict=True)]
    protect = next(map(str, places["protect"]), None)
    return Sources(str(places["content"][0]), whole, masks, protect)


class _Search:
    """Looks for files, and keeps what is wrong with any of them in `found`."""

    def __init__(self, found: Findings, folders: Sequence[Path], exact: bool, masked: bool) -> None:
        self._found = found
        self._folders = folders
        self._exact = exact
        self._masked = masked
        self.notes: list[str] = []

    def places(self, role: str, groups: Sequence[Sequence[Input]], named: Sequence[str]) -> list[StyleInput]:
        """Where the files of a role are, or are said to be."""
        if role in ("content", "style") and not (groups or named):
            self._found.add(UserError(f"the picture does not record its {role}", f"--{role} FILE"))
        if named:
            self._found.attempt(partial(self._check, role, groups, named))
            return list(named)
        return [self._together(group) for group in groups]

    def _together(self, group: Sequence[Input]) -> StyleInput:
        places = [self._found.attempt(partial(self._place, each)) or "" for each in group]
        return places if len(places) > 1 else places[0]

    def _place(self, wanted: Input) -> str:
        """Where a file is. Raises `UserError`."""
        if place := wanted.find(self._folders):
            if place != wanted.path:
                self.notes.append(f"{wanted.role} {wanted.path} is now {place}")
            return place
        option = f"--{wanted.role} FILE"
        if not wanted.path:
            raise UserError(f"the {wanted.role} was not read from a file", option)
        there = next(filter(os.path.isfile, wanted.places(self._folders)), None)
        if there is None:
            raise UserError(f"the {wanted.role} {wanted.path} is gone", f"{option}, or put it into this folder")
        if self._exact:
            raise UserError(f"the {wanted.role} {wanted.path} has changed", f"{option}, naming it as it was")
        self.notes.append(f"{wanted.role} {wanted.path} has changed")
        return there

    def _check(self, role: str, groups: Sequence[Sequence[Input]], named: Sequence[str]) -> None:
        """Raise `UserError` unless the files that the person names may stand for those of a role."""
        fixed = self._exact or role == "mask" or (role == "style" and self._masked)
        if fixed and len(named) != len(groups):
            raise UserError(f"--{role} is given {len(named)} times for {len(groups)}", "name one for each, or none")
        if self._exact:
            for group, path in zip(groups, named, strict=True):
                _check_same(group, path)
        elif groups:
            self.notes.append(f"{role}: {', '.join(named)} in place of {', '.join(map(_called, groups))}")


def _check_same(group: Sequence[Input], path: str) -> None:
    """Raise `UserError` for a picture or folder that is not this file, or not these works."""
    role = group[0].role
    found = style_sources(path) if role == "style" else [path]
    if len(found) != len(group) or not all(each.is_at(work) for each, work in zip(group, found, strict=True)):
        raise UserError(f"{path} is not the {role} of this run ({_called(group)})", "name it as it was then")


def _called(group: Sequence[Input]) -> str:
    first = group[0].path or "what was in memory"
    return first if len(group) == 1 else f"{first} and {len(group) - 1} more"
