"""How a picture was made: carried in the picture and in a run's checkpoint, and read back from there.

What is read back is anybody's. It is data, of types checked here; names in it are looked up among what is installed,
and paths in it are only ever opened to be read, as pictures or as weights.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError, version
from typing import Any, TypeVar

from nst import images
from nst.errors import UserError, raise_all
from nst.images import PathLike, WriteOptions
from nst.job.job import Job
from nst.job.validation import is_file
from nst.persistence import input_files
from nst.persistence.input_files import ROLES, Input
from nst.recipe import recipe
from nst.recipe.recipe import Recipe

FORMAT = "nst-provenance/1"
CORE = ("nst", "numpy", "pillow")
MOST = 1000
"""Inputs, weights or versions that anybody can mean."""

_T = TypeVar("_T")
_DIGEST = re.compile(r"|[0-9a-f]{64}")


@dataclass(frozen=True)
class Record:
    """All that decides the bytes of a picture.

    `recipe` names the weights that `auto` stood for. `weights` are SHA-256 by name, `versions` those of nst, of the
    distributions whose plugins had a part in it, and of the modules these need.
    """

    recipe: Recipe
    inputs: tuple[Input, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    options: WriteOptions = field(default_factory=WriteOptions)

    def to_dict(self) -> dict[str, Any]:
        """Plain data, ready for JSON."""
        rest = {name: value for name, value in asdict(self).items() if name != "recipe"}
        return {"format": FORMAT, "recipe": self.recipe.to_dict(), **rest}


def record(job: Job, options: WriteOptions | None = None) -> Record:
    """What a job is about to do, its files as they are now; opens its backends."""
    hashes = dict(job.weight_hashes())
    names = [choice.name for choice in job.weight_choices] if any(hashes.values()) else job.recipe.weights
    made = job.recipe.override(weights=names)
    read = [*job.inputs.files(), *([("init", made.init, 0)] if is_file(made.init) else [])]
    own = {each.name for each in job.spec.weights}
    loaded = [name for name in dict.fromkeys(names) if name not in own and os.path.isfile(os.path.expanduser(name))]
    found = [input_files.read(role, path, style=style) for role, path, style in read]
    found += [input_files.read("weights", os.path.expanduser(name), hashes.get(name, "")) for name in loaded]
    return Record(made, tuple(found), hashes, dict(_versions(job)), options or WriteOptions())


def _versions(job: Job) -> Iterator[tuple[str, str]]:
    yield from ((name, version(name)) for name in CORE)
    for plugin, spec in job.used():
        yield plugin.distribution, plugin.entry.version
        yield from ((module, found) for module in spec.requires if (found := _version(module)))


def _version(module: str) -> str:
    with suppress(PackageNotFoundError):
        return version(module)
    return str(getattr(sys.modules.get(module), "__version__", ""))


def changes(old: Record, new: Record) -> list[str]:
    """What is not as it was in weights and versions, in words."""
    found = [f"the weights {name} are other ones" for name in foreign(old, new)]
    for name, then in old.versions.items():
        if (now := new.versions.get(name, then)) != then:
            found.append(f"{name} was {then}, and is {now}")
    return found


def foreign(old: Record, new: Record) -> list[str]:
    """The names of new weights that are none of the old ones, whatever those were called."""
    return [name for name, digest in new.weights.items() if old.weights and digest not in old.weights.values()]


def read(picture: PathLike) -> Record:
    """What a picture carries. Raises `UserError` for what is no picture, or carries nothing, or nonsense."""
    text = images.read_text(picture)
    if text is None:
        hint = "nst writes it into every picture it makes; other programs drop it when they save"
        raise UserError(f"{picture} does not say how it was made", hint)
    return parse(text, os.fspath(picture))


def parse(text: str | bytes, name: str) -> Record:
    """A record from its JSON; `name` is what an error calls the file. Raises `UserError`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged(name, "it is not JSON") from None
    return from_dict(data, name)


def from_dict(data: Any, name: str) -> Record:
    """A record from `Record.to_dict`, every value checked. Raises `UserError`, for a recipe with each mistake in it."""
    given = _as(dict, data, name)
    values, errors = recipe.read(_as(dict, given.get("recipe"), name))
    raise_all(UserError(f"{name}: {error.message}", error.hint) for error in errors)
    return Record(
        Recipe(**values),
        tuple(_input(each, name) for each in _few(_as(list, given.get("inputs", []), name), name)),
        _texts(given.get("weights", {}), name),
        _texts(given.get("versions", {}), name),
        _options(_as(dict, given.get("options", {}), name), name),
    )


def _input(data: Any, name: str) -> Input:
    given = _as(dict, data, name)
    found = Input(*(_as(each, given.get(part), name) for part, each in _INPUT.items()))
    if found.role not in ROLES or found.size < 0 or not _DIGEST.fullmatch(found.sha256):
        raise _damaged(name, "an input is none")
    return found


_INPUT = {"role": str, "path": str, "size": int, "sha256": str, "style": int}


def _texts(data: Any, name: str) -> dict[str, str]:
    return {key: _as(str, value, name) for key, value in _few(_as(dict, data, name), name).items()}


def _options(given: Mapping[str, Any], name: str) -> WriteOptions:
    usual = asdict(WriteOptions())
    return WriteOptions(**{key: _as(type(usual[key]), given[key], name) for key in usual if key in given})


def _as(kind: type[_T], value: Any, name: str) -> _T:
    if type(value) is not kind:
        raise _damaged(name, f"{type(value).__name__} where {kind.__name__} belongs")
    return value


def _few(values: Any, name: str) -> Any:
    if len(values) > MOST:
        raise _damaged(name, f"{len(values):,} entries")
    return values


def _damaged(name: str, reason: str) -> UserError:
    return UserError(f"what {name} says of its making cannot be read: {reason}", "was it changed by hand?")


__all__ = ["Record", "changes", "from_dict", "parse", "read", "record"]
