"""Reads the tensors of a PyTorch checkpoint without PyTorch, and without running anything in it.

A checkpoint is a pickle that refers to storages, in one of two formats: a zip archive with one member for each storage,
or, before PyTorch 1.6 and so in torchvision's VGGs, five pickles with the storages after them. Unpickling calls what a
file names; here it can name an ordered dictionary and what rebuilds a tensor, and any other name is refused.
"""

from __future__ import annotations

import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MAGIC, VERSION = 0x1950A86A20F9469CFC6C, 1001
KINDS = {"FloatStorage": "<f4", "HalfStorage": "<f2", "LongStorage": "<i8"}


class Storage:
    """The numbers of a tensor or several, known to the pickle by a key; they may arrive after the pickle."""

    def __init__(self, kind: str, count: int) -> None:
        self.dtype, self.count = np.dtype(kind), count
        self.values: NDArray[Any] = np.empty(0, kind)


class Tensor:
    """A view of a storage: `offset` and `strides` count values."""

    def __init__(
        self, storage: Storage, offset: int, shape: tuple[int, ...], strides: tuple[int, ...], *_: Any
    ) -> None:
        self._storage, self._offset, self._shape, self._strides = storage, offset, shape, strides

    def array(self) -> NDArray[np.float32]:
        """Return the tensor as a new array. Raises `ValueError` where the storage is too short."""
        last = self._offset + sum((n - 1) * step for n, step in zip(self._shape, self._strides, strict=True))
        if min(self._shape, default=1) < 1 or min(self._strides, default=0) < 0 or self._offset < 0:
            raise ValueError("a tensor has no values")
        if last >= len(self._storage.values):
            raise ValueError("a tensor is larger than its storage")
        strides = [step * self._storage.dtype.itemsize for step in self._strides]
        view = np.lib.stride_tricks.as_strided(self._storage.values[self._offset :], self._shape, strides)
        return np.array(view, np.float32, order="C")


def _parameter(data: Tensor, *_: Any) -> Tensor:
    return data


CALLABLES: Mapping[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor"): Tensor,
    ("torch._utils", "_rebuild_tensor_v2"): Tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
} | {("torch", kind): kind for kind in KINDS}


class Unpickler(pickle.Unpickler):
    """Unpickles what `CALLABLES` name, and nothing else; `storages` are the storages met, by key."""

    def __init__(self, file: IO[bytes]) -> None:
        super().__init__(file, encoding="latin-1")
        self.storages: dict[str, Storage] = {}

    def find_class(self, module: str, name: str) -> Any:
        """Return what a pickle may call. Raises `UnpicklingError` for anything else."""
        if (module, name) not in CALLABLES:
            raise pickle.UnpicklingError(f"it asks for {module}.{name}, which is no part of a tensor")
        return CALLABLES[module, name]

    def persistent_load(self, pid: Any) -> Storage:
        """Return the storage that a pickle refers to."""
        _, kind, key, _, count, *_ = pid
        return self.storages.setdefault(str(key), Storage(KINDS[kind], count))


def read(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the tensors of a state dictionary by name. Raises `ValueError`, or what `pickle` and `zipfile` raise."""
    tensors = _zipped(path) if zipfile.is_zipfile(path) else _legacy(path)
    return {name: tensor.array() for name, tensor in tensors.items() if isinstance(tensor, Tensor)}


def _zipped(path: Path) -> Mapping[str, Any]:
    with zipfile.ZipFile(path) as archive:
        (pickled,) = [name for name in archive.namelist() if name.endswith("/data.pkl")]
        with archive.open(pickled) as file:
            unpickler = Unpickler(file)
            tensors: Mapping[str, Any] = unpickler.load()
        for key, storage in unpickler.storages.items():
            values = archive.read(f"{pickled.removesuffix('.pkl')}/{key}")
            storage.values = np.frombuffer(values, storage.dtype)
    return tensors


def _legacy(path: Path) -> Mapping[str, Any]:
    with path.open("rb") as file:
        if (Unpickler(file).load(), Unpickler(file).load()) != (MAGIC, VERSION):
            raise ValueError("it is no PyTorch checkpoint")
        Unpickler(file).load()  # of the machine that wrote it
        unpickler = Unpickler(file)
        tensors: Mapping[str, Any] = unpickler.load()
        for key in Unpickler(file).load():
            storage, count = unpickler.storages[key], int.from_bytes(file.read(8), "little")
            if count != storage.count:
                raise ValueError(f"storage {key} has {count} values, not {storage.count}")
            if count * storage.dtype.itemsize > path.stat().st_size:
                raise ValueError(f"storage {key} is larger than the file")
            storage.values = np.frombuffer(file.read(count * storage.dtype.itemsize), storage.dtype)
    return tensors
