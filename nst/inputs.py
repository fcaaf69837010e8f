"""The files a run reads, and finding them again: where they were, or by their SHA-256."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from nst.download import sha256_of
from nst.errors import Findings, NstError, UserError, raise_all
from nst.recipe import Recipe

ROLES = ("content", "style", "init", "weights")


@dataclass(frozen=True)
class Input:
    """A file by its role, its path as given, its size in bytes and its SHA-256; without a path it was in memory."""

    role: str
    path: str
    size: int = 0
    sha256: str = ""

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


def read(role: str, path: str, sha256: str = "") -> Input:
    """The file at a path as it is now; what is no file (`/dev/stdin`, "") can only be read once."""
    if not os.path.isfile(path):
        return Input(role, "")
    return Input(role, path, os.path.getsize(path), sha256 or sha256_of(Path(path)))


@dataclass(frozen=True)
class Located:
    """Where a run's files are now: `recipe` names its own anew, `notes` say what is not as it was."""

    content: str
    styles: list[str]
    recipe: Recipe
    notes: list[str]


def locate(
    inputs: Sequence[Input],
    recipe: Recipe,
    folders: Sequence[Path],
    *,
    content: str | None = None,
    styles: Sequence[str] = (),
    exact: bool = True,
    skipped: Collection[str] = (),
) -> Located:
    """Find the files of a run again, but for the roles that are `skipped`.

    `content` and `styles` are where the person says they are. `exact` asks for the very files; else one that has
    changed will do, and any other that the person names. Raises `UserError` for each that is not found.
    """
    found, search = Findings(), _Search(folders, exact)
    named = {"content": [content] if content else [], "style": list(styles)}
    places: dict[str, list[str]] = {}
    for role in (role for role in ROLES if role not in skipped):
        wanted = [each for each in inputs if each.role == role]
        if role in named and not (wanted or named[role]):
            found.add(UserError(f"it is not recorded which {role} it was made of", f"--{role} FILE"))
        if named.get(role):
            places[role] = found.attempt(partial(search.check, wanted, named[role]))
        else:
            places[role] = [found.attempt(partial(search.place, each)) for each in wanted]
    raise_all(found.errors)
    moved = {each.path: place for role in ("init", "weights") for each, place in _pairs(inputs, role, places)}
    names = {"init": moved.get(recipe.init, recipe.init), "weights": [moved.get(name, name) for name in recipe.weights]}
    return Located(places["content"][0], places["style"], recipe.override(**names), search.notes)


def _pairs(inputs: Sequence[Input], role: str, places: Mapping[str, Sequence[str]]) -> Iterator[tuple[Input, str]]:
    return zip((each for each in inputs if each.role == role), places.get(role, ()), strict=False)


class _Search:
    def __init__(self, folders: Sequence[Path], exact: bool) -> None:
        self._folders = folders
        self._exact = exact
        self.notes: list[str] = []

    def place(self, wanted: Input) -> str:
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

    def check(self, wanted: Sequence[Input], named: list[str]) -> list[str]:
        """The files that the person names. Raises `UserError` where they must be the very ones and are not."""
        if not self._exact:
            old = ", ".join(each.path or "what was in memory" for each in wanted)
            self.notes += [f"{wanted[0].role}: {', '.join(named)} in place of {old}"] if wanted else []
            return named
        if len(named) != len(wanted):
            raise UserError(f"{len(named)} files are named for {len(wanted)}", f"--{wanted[0].role} FILE for each")
        for each, path in zip(wanted, named, strict=True):
            if not each.is_at(path):
                raise UserError(
                    f"{path} is not the {each.role} of this run ({each.path or 'not a file'})", "name it as it was then"
                )
        return named
