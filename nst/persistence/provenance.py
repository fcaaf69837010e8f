"""Provenance records: everything that determines an image, stored in the image and in a run's checkpoint.

A record from a file is untrusted data. Its types are checked here, its names are looked up among the installed plugins,
and its paths are only opened for reading, as images or as weights.
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
from importlib.util import find_spec
from typing import Any, TypeVar

from packaging.utils import InvalidName, canonicalize_name
from packaging.version import InvalidVersion, Version

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
MAX_ENTRIES = 1000
"""The largest number of inputs, weights or versions in a record."""

_T = TypeVar("_T")
_DIGEST = re.compile(r"|[0-9a-f]{64}")


@dataclass(frozen=True)
class Record:
    """Everything that determines the bytes of an image.

    `recipe` has the chosen weights in place of `auto`. `weights` is the SHA-256 of each by name. `versions` are those
    of nst, of the distributions of the plugins in use, and of the modules these plugins require.
    """

    recipe: Recipe
    inputs: tuple[Input, ...] = ()
    weights: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    options: WriteOptions = field(default_factory=WriteOptions)

    def to_dict(self) -> dict[str, Any]:
        """Return plain data, ready for JSON."""
        rest = {name: value for name, value in asdict(self).items() if name != "recipe"}
        return {"format": FORMAT, "recipe": self.recipe.to_dict(), **rest}


def record(job: Job, options: WriteOptions | None = None) -> Record:
    """Return the record of a job, with its files as they are now; opens the backends."""
    hashes = dict(job.weight_hashes())
    names = [choice.name for choice in job.weight_choices] if any(hashes.values()) else job.recipe.weights
    resolved = job.recipe.override(weights=names)
    sources = [*job.inputs.files(), *([("init", resolved.init, 0)] if is_file(resolved.init) else [])]
    own = {weight_set.name for weight_set in job.spec.weights}
    loaded = [name for name in dict.fromkeys(names) if name not in own and os.path.isfile(os.path.expanduser(name))]
    files = [input_files.read(role, path, style=style) for role, path, style in sources]
    files += [input_files.read("weights", os.path.expanduser(name), hashes.get(name, "")) for name in loaded]
    return Record(resolved, tuple(files), hashes, dict(_versions(job)), options or WriteOptions())


def _versions(job: Job) -> Iterator[tuple[str, str]]:
    yield from ((name, version(name)) for name in CORE)
    for plugin, spec in job.used():
        yield plugin.distribution, plugin.entry.version
        yield from ((module, number) for module in spec.requires if (number := _version(module)))


def _version(module: str) -> str:
    with suppress(PackageNotFoundError):
        return version(module)
    return str(getattr(sys.modules.get(module), "__version__", ""))


def changes(old: Record, new: Record) -> list[str]:
    """Return a message for each changed weight file and version."""
    messages = [f"the weights {name} have changed" for name in foreign(old, new)]
    for name, then in old.versions.items():
        if (now := new.versions.get(name, then)) != then:
            messages.append(f"{name} was {then}, and is {now}")
    return messages


def foreign(old: Record, new: Record) -> list[str]:
    """Return the names of new weights whose SHA-256 is not among the old ones."""
    return [name for name, digest in new.weights.items() if old.weights and digest not in old.weights.values()]


def missing(old: Record) -> dict[str, str]:
    """Return the version of each distribution in a record that is not installed.

    A name or a version that pip would not accept is left out.
    """
    return {name: number for name, number in old.versions.items() if _is_missing(name, number)}


def _is_missing(name: str, number: str) -> bool:
    try:
        Version(number)
        module = canonicalize_name(name, validate=True).replace("-", "_")
        version(name)
    except (InvalidName, InvalidVersion):
        return False
    except PackageNotFoundError:
        return find_spec(module) is None
    return False


def read(image: PathLike) -> Record:
    """Read the record in an image. Raises `UserError` without an image, without a record, or with a damaged one."""
    text = images.read_text(image)
    if text is None:
        hint = "nst writes one into every picture; other programs may drop it when they save"
        raise UserError(f"{image} contains no provenance record", hint)
    return parse(text, os.fspath(image))


def parse(text: str | bytes, name: str) -> Record:
    """Parse a record from JSON; errors name the file `name`. Raises `UserError`."""
    try:
        data = json.loads(text)
    except (ValueError, RecursionError):
        raise _damaged(name, "it is not JSON") from None
    return from_dict(data, name)


def from_dict(data: Any, name: str) -> Record:
    """Build a record from the data of `Record.to_dict`. Raises `UserError` with every mistake in the recipe."""
    fields = _as(dict, data, name)
    values, errors = recipe.read_fields(_as(dict, fields.get("recipe"), name))
    raise_all(UserError(f"{name}: {error.message}", error.hint) for error in errors)
    return Record(
        Recipe(**values),
        tuple(_input(file, name) for file in _limited(_as(list, fields.get("inputs", []), name), name)),
        _strings(fields.get("weights", {}), name),
        _strings(fields.get("versions", {}), name),
        _options(_as(dict, fields.get("options", {}), name), name),
    )


def _input(data: Any, name: str) -> Input:
    fields = _as(dict, data, name)
    file = Input(*(_as(kind, fields.get(key), name) for key, kind in _INPUT.items()))
    if file.role not in ROLES or file.size < 0 or not _DIGEST.fullmatch(file.sha256):
        raise _damaged(name, "an input is invalid")
    return file


_INPUT = {"role": str, "path": str, "size": int, "sha256": str, "style": int}


def _strings(data: Any, name: str) -> dict[str, str]:
    return {key: _as(str, value, name) for key, value in _limited(_as(dict, data, name), name).items()}


def _options(fields: Mapping[str, Any], name: str) -> WriteOptions:
    defaults = asdict(WriteOptions())
    return WriteOptions(**{key: _as(type(defaults[key]), fields[key], name) for key in defaults if key in fields})


def _as(kind: type[_T], value: Any, name: str) -> _T:
    if type(value) is not kind:
        raise _damaged(name, f"{type(value).__name__} where {kind.__name__} belongs")
    return value


def _limited(values: Any, name: str) -> Any:
    if len(values) > MAX_ENTRIES:
        raise _damaged(name, f"{len(values):,} entries")
    return values


def _damaged(name: str, reason: str) -> UserError:
    return UserError(f"the provenance record of {name} cannot be read: {reason}", "it may have been changed by hand")


__all__ = ["Record", "changes", "from_dict", "parse", "read", "record"]
