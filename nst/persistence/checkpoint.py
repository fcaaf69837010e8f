"""Write and read checkpoints: a snapshot of a run with its record, in one file that is replaced atomically.

The file is safetensors, never a pickle: `image`, `best` and optionally `mean` `(H, W, 3)`, the optimizer's `state.…` of
the same shape, `history` `(steps, 4 + terms)`, and JSON metadata. The size is that of up to three images (12 bytes a
pixel each) and of the optimizer's state. After the last step of a size the state is included only if the next size
starts from it. Adam's state is two images; L-BFGS' is two for each curvature pair, up to 1 GiB, or three pairs.
"""

from __future__ import annotations

import json
import math
import os
import struct
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, NoReturn
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from nst.engine.level_run import Progress
from nst.engine.snapshot import Snapshot
from nst.errors import NstError, UserError
from nst.io import atomic

FORMAT = "nst-run/1"
LONGEST_HEADER = 2**20
"""The limit in bytes for names, shapes and metadata, larger than any run needs."""

FIRST = 10.0
"""The seconds until the first checkpoint, unless a size ends earlier."""

SHARE = 0.02
"""The largest share of a run's time for writing checkpoints at intervals."""

_IMAGES = ("image", "best", "mean", "start")
_STATE = "state."
_COLUMNS = ("step", "size", "loss", "seconds")
_TYPES = {"F64": np.dtype("<f8"), "F32": np.dtype("<f4"), "F16": np.dtype("<f2")}
_NAMES = {dtype: name for name, dtype in _TYPES.items()}
_HINT = "give the file that --checkpoint named, or start the run anew"

CheckpointArray = NDArray[Any]


@dataclass(frozen=True)
class Plan:
    """The levels a checkpoint must match: `shapes` (height, width) and `steps`, and whether the run has a mean.

    A `matched` run keeps the image that a size starts from, but for the first size.
    """

    shapes: Sequence[tuple[int, int]]
    steps: Sequence[int]
    averaged: bool
    matched: bool = False

    def images(self, level: int) -> set[str]:
        """Return the names of the images in a checkpoint at a level."""
        optional = {"mean": self.averaged, "start": self.matched and level > 0}
        return {"image", "best", *(name for name, kept in optional.items() if kept)}


class Checkpoints:
    """An `on_iterate` callback that writes a checkpoint every `every` seconds and at the end of each size.

    The first checkpoint is written after at most `FIRST` seconds. A `path` of None writes nothing. `about` is plain
    data about the run, which `Checkpoint.about` returns. The interval grows when writing is slow, to limit its cost to
    `SHARE` of the time. An interval of 0 writes after every step. `tell` receives a message when writing fails; the run
    continues.
    """

    def __init__(
        self,
        path: str | Path | None,
        about: Mapping[str, Any] | None = None,
        every: float = 60.0,
        tell: Callable[[str], object] = print,
    ) -> None:
        self._path = None if path is None else Path(path)
        self._about, self._every, self._tell = about or {}, every, tell
        self._due = time.monotonic() + min(every, FIRST)
        self._last: Progress | None = None

    def __call__(self, progress: Progress) -> None:
        """Remember a step, and write a checkpoint if one is due."""
        if self._path is None:
            return  # the last step would keep the tensors of its size
        self._last = progress
        if progress.left == 0 or time.monotonic() >= self._due:
            self.write()

    def write(self) -> None:
        """Write a checkpoint of the last step, unless it is written already or there was no step."""
        if self._last is None or self._path is None:
            return
        began = time.monotonic()
        try:
            write(self._path, self._about, self._last.snapshot())
            self._last = None
        except NstError as error:
            self._tell(f"{error.message}; the run continues")
        except MemoryError:  # while the images are fetched
            self._tell(f"cannot write '{self._path}': not enough memory; the run continues")
        ended = time.monotonic()
        self._due = ended + (max(self._every, (ended - began) / SHARE) if self._every else 0)


def write(path: Path, about: Mapping[str, Any], snapshot: Snapshot) -> None:
    """Write a checkpoint atomically, without copying an array. Raises `NstError`."""
    arrays = {name: array for name in _IMAGES if (array := getattr(snapshot, name)) is not None}
    arrays |= {_STATE + name: value for name, value in snapshot.state.items() if isinstance(value, np.ndarray)}
    terms = list(dict.fromkeys(term for row in snapshot.history for term in row["terms"]))
    arrays["history"] = _table(snapshot.history, terms)
    for name, array in arrays.items():
        if array.dtype not in _NAMES or (name != "history" and array.shape != snapshot.image.shape):
            raise NstError(f"cannot write '{path}': {name} is {array.dtype} {array.shape}")
    arrays = {name: np.ascontiguousarray(arrays[name]) for name in sorted(arrays, key=_order(arrays))}
    scalars = {name: value for name, value in snapshot.state.items() if isinstance(value, int | float)}
    fields = {name: getattr(snapshot, name) for name in _FIELDS} | {"best_loss": float(snapshot.best_loss)}
    run = json.dumps({**fields, "state": scalars, "terms": terms, "about": about})
    metadata = {"format": FORMAT, "run": run, "crc32": str(_checksum(run, arrays))}
    try:
        header = _header(arrays, metadata)
        atomic.replace(path, lambda file: _save(file, header, arrays))
    except (OSError, MemoryError) as error:
        raise NstError(f"cannot write '{path}': {getattr(error, 'strerror', None) or 'not enough memory'}") from error


_FIELDS: Mapping[str, type] = {
    **{"level": int, "taken": int, "scale": float, "best_loss": float, "mean_weight": float},
    **{"tile": int, "notes": list},
}
"""The fields of a snapshot that are no arrays, with their types; `tile` may be None."""


def _table(history: Sequence[Mapping[str, Any]], terms: Sequence[str]) -> NDArray[np.float64]:
    """Return the history as a table of numbers, NaN for a term missing in a row."""
    rows = [
        [*(row[name] for name in _COLUMNS), *(row["terms"].get(term, math.nan) for term in terms)] for row in history
    ]
    return np.array(rows, np.float64).reshape(len(rows), len(_COLUMNS) + len(terms))


def _order(arrays: Mapping[str, CheckpointArray]) -> Callable[[str], tuple[int, str]]:
    """Return a sort key: wide numbers first, so that every array is aligned to its width."""
    return lambda name: (-arrays[name].dtype.itemsize, name)


def _checksum(run: str, arrays: Mapping[str, CheckpointArray]) -> int:
    """Return the CRC-32 of the metadata and of the arrays with their names, types and shapes."""
    checksum = crc32(run.encode())
    for name, array in arrays.items():
        checksum = crc32(f"{name} {array.dtype.str} {array.shape}".encode(), checksum)
        checksum = crc32(_bytes(array), checksum)
    return checksum


def _header(arrays: Mapping[str, CheckpointArray], metadata: Mapping[str, str]) -> bytes:
    """Return the header of a safetensors file: its length, then names, types, shapes and offsets as JSON."""
    entries: dict[str, Any] = {"__metadata__": metadata}
    start = 0
    for name, array in arrays.items():
        entries[name] = {
            "dtype": _NAMES[array.dtype],
            "shape": array.shape,
            "data_offsets": [start, start + array.nbytes],
        }
        start += array.nbytes
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)
    if len(text) > LONGEST_HEADER:
        raise NstError(f"a checkpoint cannot hold so much beside its images: {len(text):,} bytes")
    return struct.pack("<Q", len(text)) + text


def _save(file: BinaryIO, header: bytes, arrays: Mapping[str, CheckpointArray]) -> None:
    file.write(header)
    for array in arrays.values():
        file.write(_bytes(array))


def _bytes(array: CheckpointArray) -> memoryview:
    return array.reshape(-1).view(np.uint8).data


class Checkpoint:
    """A checkpoint, opened; `about` is the data given to its writer. Raises `UserError` for any other file."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        with self._opened() as file:
            metadata = file.metadata() or {}
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - no mapping
            self._types = {name: array.get_dtype() for name, array in slices.items()}
            self._shapes = {name: tuple(array.get_shape()) for name, array in slices.items()}
        if metadata.get("format") != FORMAT:
            self._refuse(f"its format is {metadata.get('format', 'another')!r:.40}, not {FORMAT!r}")
        self._metadata = metadata
        self._run = self._parsed(metadata.get("run", ""))
        self.about: dict[str, Any] = self._run["about"]

    def _refuse(self, reason: str) -> NoReturn:
        raise UserError(f"'{self._path}' is not a complete checkpoint: {reason}", _HINT) from None

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        try:
            if not os.path.isfile(self._path):
                raise UserError(f"there is no checkpoint '{self._path}'", "give the file that --checkpoint named")
            with self._path.open("rb") as file:
                start = file.read(8)
            if len(start) < 8 or struct.unpack("<Q", start)[0] > LONGEST_HEADER:
                self._refuse("it does not begin like one")
            with safe_open(self._path, framework="np") as opened:
                yield opened
        except OSError as error:
            raise UserError(f"cannot read '{self._path}': {error.strerror or error}", _HINT) from None
        except SafetensorError as error:
            self._refuse(str(error))

    def _parsed(self, text: str) -> dict[str, Any]:
        try:
            run = json.loads(text)
        except (ValueError, RecursionError):
            self._refuse("its metadata is not JSON")
        types = {**_FIELDS, "state": dict, "terms": list, "about": dict}
        if not isinstance(run, dict) or run.keys() != types.keys():
            self._refuse("its metadata is not that of a run")
        for name, kind in types.items():
            if type(run[name]) is not kind and not (name == "tile" and run[name] is None):
                self._refuse(f"its {name} is a {type(run[name]).__name__}")
        return run

    def text(self, name: str) -> str:
        """Return a string from `about`. Raises `UserError`."""
        text = self.about.get(name)
        if not isinstance(text, str):
            self._refuse(f"it has no {name}")
        return text

    def snapshot(self, plan: Plan) -> Snapshot:
        """Return the snapshot, checked against the plan before an array is read. Raises `UserError`."""
        self._check_numbers(plan)
        self._check_arrays(plan)
        try:
            with self._opened() as file:
                arrays = {name: file.get_tensor(name) for name in self._types}
        except MemoryError:
            raise NstError(f"not enough memory for the images in '{self._path}'") from None
        arrays = {name: arrays[name] for name in sorted(arrays, key=_order(arrays))}
        if self._metadata.get("crc32") != str(_checksum(self._metadata["run"], arrays)):
            self._refuse("its checksum is wrong: it is damaged")
        finite = [*(arrays[name] for name in _IMAGES if name in arrays), arrays["history"][:, : len(_COLUMNS)]]
        if not all(np.isfinite(array).all() for array in finite):
            self._refuse("its numbers are not finite")
        return self._snapshot_of(arrays)

    def _snapshot_of(self, arrays: Mapping[str, CheckpointArray]) -> Snapshot:
        state = {name.removeprefix(_STATE): array for name, array in arrays.items() if name.startswith(_STATE)}
        return Snapshot(
            image=arrays["image"],
            best=arrays["best"],
            mean=arrays.get("mean"),
            start=arrays.get("start"),
            state={**state, **self._run["state"]},
            history=list(self._history(arrays["history"])),
            **{name: self._run[name] for name in _FIELDS},
        )

    def _history(self, table: CheckpointArray) -> Iterator[dict[str, Any]]:
        for row in table.tolist():
            step, size, loss, seconds, *values = row
            named = zip(self._run["terms"], values, strict=True)
            terms = {term: value for term, value in named if not math.isnan(value)}
            yield {"step": int(step), "size": int(size), "loss": loss, "terms": terms, "seconds": seconds}

    def _check_numbers(self, plan: Plan) -> None:
        run = self._run
        if not 0 <= run["level"] < len(plan.steps) or not 1 <= run["taken"] <= plan.steps[run["level"]]:
            self._refuse(f"its recipe has no step {run['taken']} at size {run['level'] + 1}")
        if not (0 < run["scale"] <= 1 and 0 <= run["mean_weight"] <= 1 and math.isfinite(run["best_loss"])):
            self._refuse("its numbers are out of range")
        if (run["tile"] or 0) < 0 or not all(type(value) in (bool, int, float) for value in run["state"].values()):
            self._refuse("its state is not made of numbers")
        if not all(type(text) is str for text in (*run["notes"], *run["terms"])):
            self._refuse("its notes are not text")

    def _check_arrays(self, plan: Plan) -> None:
        run, shapes = self._run, dict(self._shapes)
        steps = shapes.pop("history", ())
        named = {name for name in shapes if not name.startswith(_STATE)}
        if named != plan.images(run["level"]):
            self._refuse(f"it holds {', '.join(sorted(named))[:80] or 'no images'}")
        image = (*plan.shapes[run["level"]], 3)
        if odd := [f"{name[:80]} {shape}" for name, shape in shapes.items() if shape != image]:
            self._refuse(f"{odd[0]} is not of the shape {image}")
        taken = sum(plan.steps[: run["level"]]) + run["taken"]
        if steps[1:] != (len(_COLUMNS) + len(run["terms"]),) or not run["taken"] <= steps[0] <= taken:
            self._refuse(f"its history has the shape {steps}")
        if unknown := set(self._types.values()) - _TYPES.keys():
            self._refuse(f"it holds numbers of type {unknown.pop()}")
