"""Locate a backend's weights, and choose the weights of a run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from weakref import WeakValueDictionary

from nst.errors import NstError, UserError, unknown
from nst.io.download import megabytes
from nst.protocols import WeightSource
from nst.specs import BackendSpec, WeightSet, resolve
from nst.vgg import network
from nst.vgg.network import Network, header, layers_of


@dataclass(frozen=True)
class NeutralFile:
    """A `nst.protocols.WeightSource` for an existing neutral file; `sha256` is the expected digest, if known."""

    file: str | Path
    sha256: str = ""

    def path(self) -> Path:
        """Return the path, whether the file exists or not."""
        return Path(self.file)

    def fetch(self, on_progress: Callable[[int, int], None] | None = None) -> Path:
        """Return the path. Raises `UserError` if there is no neutral file: it cannot be downloaded."""
        header(self.file)
        return self.path()

    def verify(self) -> str:
        """Return the file's SHA-256 in hex, after reading all of it. Raises like `load`."""
        return self.load().sha256

    def load(self) -> Network:
        """Read the network. Raises `UserError` if the file cannot be used, `NstError` if its hash is wrong."""
        weights = network.read(self.file)
        if self.sha256 not in ("", weights.sha256):
            raise NstError(f"'{self.file}' has SHA-256 {weights.sha256}; expected {self.sha256}")
        return weights


FULL, COARSE = "imagenet", "compact"
COMPACT = NeutralFile(
    Path(__file__).parents[1] / "data" / "vgg19-compact.safetensors",
    "7e3aea83a0ec091fda330ca9aea14383aca79ea8cd444908b12075c065835224",
)
"""The slim VGG-19 that ships with nst."""


@dataclass(frozen=True)
class Choice:
    """The weights a run will use: `name` is a set or a path, `note` the user's message about `auto`."""

    name: str
    source: WeightSource
    note: str = ""

    def stamp(self) -> tuple[int, int] | None:
        """Return a stamp that changes when the file is replaced, or None if there is no file."""
        try:
            status = os.stat(self.source.path())
        except OSError:
            return None
        return status.st_size, status.st_mtime_ns

    def load(self) -> Any:
        """Read the weights, unless the network of the same file is still in use. Raises like the source's `load`."""
        key = self._key()
        network = _NETWORKS.get(key)
        if network is None:
            network = self.source.load()
            if isinstance(network, Network):
                _NETWORKS[key] = network
        return network

    def digest(self) -> str:
        """Return the SHA-256 in hex, after one reading of each file. Raises like the source's `verify`."""
        key = self._key()
        if key not in _DIGESTS:
            _DIGESTS[key] = self.source.verify()
        return _DIGESTS[key]

    def _key(self) -> tuple[object, ...]:
        return self.name, type(self.source), str(self.source.path()), self.stamp()


_NETWORKS: WeakValueDictionary[Any, Network] = WeakValueDictionary()
_DIGESTS: dict[Any, str] = {}


def choose_weights(spec: BackendSpec, name: str) -> Choice:
    """Choose the weights that `name` names for a backend: `auto`, the name of a weight set, or the path of a file.

    `auto` never downloads: it is `imagenet` where that is on disk, else the first set that is. Raises `UserError` for
    an unknown name or a set that is not on disk; `check` judges a path.
    """
    sets = {weights.name: weights for weights in spec.weights}
    if name == "auto":
        return _auto(spec)
    if name in sets:
        if source := _on_disk(spec, sets[name]):
            return Choice(name, source)
        raise UserError(f"the weights '{name}' of {spec.name} are not on disk", _get(spec, sets[name]))
    if not (sets or spec.files):
        raise UserError(f"'{spec.name}' has no weights to choose from", "leave --weights out")
    if spec.files and (set(name) & set("/\\") or Path(name).suffix or os.path.exists(name)):
        return Choice(name, resolve(spec.files)(os.path.expanduser(name)))
    raise unknown("weights", name, ("auto", *sets), "or give the path of a file" if spec.files else "")


def choose_all(spec: BackendSpec, names: Sequence[str], sizes: int) -> list[Choice]:
    """Choose the weights for each name, for a run of `sizes` sizes.

    If a single `auto` selects the full network, all sizes but the last use the compact one, where it is available:
    equally good by the evaluation metrics, in half the time (benchmarks/README.md).
    """
    chosen = [choose_weights(spec, name) for name in names]
    offered = {weights.name for weights in spec.weights}
    if tuple(names) != ("auto",) or chosen[0].name != FULL or COARSE not in offered or sizes == 1:
        return chosen
    note = f"weights: {COARSE}, and {FULL} (on disk) at the last size; or --weights {FULL}, or --weights {COARSE}"
    return [choose_weights(spec, COARSE), replace(chosen[0], note=note)]


def _on_disk(spec: BackendSpec, weights: WeightSet) -> WeightSource | None:
    try:
        source: WeightSource = resolve(weights.source)
        return source if os.path.exists(source.path()) else None
    except Exception as error:  # a plugin's module may raise anything
        reason = f"{weights.source}: {type(error).__name__}: {error}"
        raise NstError(f"the weights '{weights.name}' of {spec.name} cannot be used: {reason}") from error


@dataclass(frozen=True)
class NoWeights:
    """The `WeightSource` of a backend that has no weights: nothing to fetch, `None` to load."""

    def path(self) -> Path:
        """Return the null device: there is no file."""
        return Path(os.devnull)

    def fetch(self, on_progress: Callable[[int, int], None] | None = None) -> Path:
        """Return the null device: there is nothing to download."""
        return self.path()

    def verify(self) -> str:
        """Return "": there is no file."""
        return ""

    def load(self) -> None:
        """Return None."""


def _auto(spec: BackendSpec) -> Choice:
    if not spec.weights:
        return Choice("none", NoWeights())
    offered = sorted(spec.weights, key=lambda weights: weights.name != FULL)
    ready = [(weights, source) for weights in offered if (source := _on_disk(spec, weights))]
    if not ready:
        raise UserError(f"no weights of {spec.name} are on disk", _get(spec, offered[0]))
    chosen, source = ready[0]
    return Choice(chosen.name, source, _note(spec, offered[0], *(weights for weights, _ in ready)))


def _note(spec: BackendSpec, best: WeightSet, chosen: WeightSet, *others: WeightSet) -> str:
    instead = "".join(f"; or --weights {other.name}" for other in others)
    better = f"; for the full network: {_get(spec, best)}" if chosen != best else instead
    return f"weights: {chosen.name} ({'on disk' if chosen.size else 'ships with nst'}){better}"


def _get(spec: BackendSpec, weights: WeightSet) -> str:
    line = f"nst weights fetch {weights.name} --backend {spec.name}"
    return f"{line} ({megabytes(weights.size)})" if weights.size else line


def check(spec: BackendSpec, choice: Choice, layers: Sequence[str]) -> list[UserError]:
    """Return the errors of a neutral file's header for a backend and `layers` (`relu4_2`); none for other sources."""
    if not isinstance(choice.source, NeutralFile):
        return []
    try:
        declared = header(choice.source.path())
    except UserError as error:
        return [error]
    if declared.architecture != spec.architecture:
        return [
            UserError(
                f"'{choice.name}' is {declared.architecture}; {spec.name} takes {spec.architecture or 'no VGG'}",
                "choose another backend, or other weights (see nst weights list)",
            )
        ]
    offered = layers_of(declared)
    missing = [layer for layer in dict.fromkeys(layers) if layer not in offered]
    has = f"it has {offered[0]} … {offered[-1]}"
    return [UserError(f"'{choice.name}' has no layer {', '.join(missing)}", has)] if missing else []
