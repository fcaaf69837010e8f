"""Represent a VGG as NumPy arrays, and read and write the neutral weight file.

The format is safetensors: `conv<b>_<c>.weight` `(out, in, 3, 3)` and `conv<b>_<c>.bias` `(out,)` in float16 or
float32, with metadata `format`, `architecture`, `preprocessing`, `source` and `license`, which may be spelled `licence`
in a file to read. Channel counts come from the shapes, so slimmer VGGs use the same code; a file may lack the deepest
layers. Nothing is ever unpickled.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from nst.errors import NstError, UserError, unknown
from nst.io import atomic
from nst.io.download import megabytes, sha256_of
from nst.vgg.architecture import BLOCKS, convolutions, layer_names
from nst.vgg.preprocessing import PREPROCESSINGS, Preprocessing

FORMAT = "nst-vgg/1"
METADATA = ("format", "architecture", "preprocessing", "source", "license")
FORMAT_HINT = "--weights takes the name of a weight set, or a safetensors file in nst's neutral VGG format"
LONGEST_HEADER = 2**20  # bytes; parsed, a long one takes many times its size
OTHER_FORMATS = {
    b"<": "an HTML page",
    b"PK": "a zip archive (PyTorch's .pth is one, of pickles, which nst never opens)",
    b"\x80": "a pickle (.pth), which nst never opens",
    b"\x89HDF": "an HDF5 file (Keras' .h5)",
}


@dataclass(frozen=True)
class Network:
    """A VGG's convolutions on the host, in reading order: from `conv1_1` to the deepest that the file holds.

    `kernels` `(out, in, 3, 3)` and `biases` `(out,)` have the same names; `sha256` is its file's, empty without one.
    """

    architecture: str
    preprocessing: Preprocessing
    kernels: Mapping[str, NDArray[np.float32]]
    biases: Mapping[str, NDArray[np.float32]]
    source: str
    license: str
    sha256: str = ""

    def mean(self) -> NDArray[np.float32]:
        """Return the mean that `folded` convolutions expect subtracted from pixels: `(3,)`, RGB, 0..1."""
        mean = np.array(self.preprocessing.mean, np.float32)[self._order()]
        return mean / np.float32(self.preprocessing.scale)

    def folded(self) -> Iterator[tuple[str, NDArray[np.float32], NDArray[np.float32]]]:
        """Return names, kernels and biases; the first convolution takes RGB 0..1 minus the mean.

        Channel order, scale and standard deviation move into its kernel. This is exact, because padding follows the
        mean.
        """
        gain = np.float32(self.preprocessing.scale) / np.array(self.preprocessing.std, np.float32)
        for name, kernel in self.kernels.items():
            first = (kernel * gain[:, None, None])[:, self._order()] if name == "conv1_1" else kernel
            yield name, np.ascontiguousarray(first), self.biases[name]

    def _order(self) -> list[int]:
        return [0, 1, 2] if self.preprocessing.order == "RGB" else [2, 1, 0]


@dataclass(frozen=True)
class Header:
    """The metadata of a file: `layers` are its convolutions in order, `channels` the outputs of each."""

    architecture: str
    preprocessing: str
    source: str
    license: str
    layers: tuple[str, ...]
    channels: Mapping[str, int]


def layers_of(header: Header) -> tuple[str, ...]:
    """Return the layers of a file, in network order: `conv1_1, relu1_1, conv1_2, relu1_2, pool1, …`."""
    return layer_names(header.architecture, header.layers)


def header(path: str | Path) -> Header:
    """Read the header of a neutral file without its values. Raises `UserError` if the file cannot be used."""
    with _opened(Path(path)) as file:
        metadata = _american(file.metadata() or {})
        slices = {name: file.get_slice(name) for name in list(file.keys())}
        dtypes = {name: values.get_dtype() for name, values in slices.items()}
        shapes = {name: tuple(values.get_shape()) for name, values in slices.items()}
    _check_metadata(path, metadata)
    if odd := [f"{name} in {dtype}" for name, dtype in dtypes.items() if dtype not in ("F16", "F32")]:
        raise UserError(f"'{path}' holds {odd[0]}; expected F16 or F32", FORMAT_HINT)
    channels = _channels(path, metadata["architecture"], shapes)
    return Header(**{key: metadata[key] for key in METADATA[1:]}, layers=tuple(channels), channels=channels)


def read(path: str | Path) -> Network:
    """Read the network of a neutral file and check every value. Raises `UserError` if the file cannot be used."""
    declared = header(path)
    names = [f"{layer}.{part}" for layer in declared.layers for part in ("weight", "bias")]
    with _opened(Path(path)) as file:
        values = {name: _finite(path, name, file.get_tensor(name), "float32") for name in names}
    kernels = {layer: values[f"{layer}.weight"] for layer in declared.layers}
    biases = {layer: values[f"{layer}.bias"] for layer in declared.layers}
    preprocessing, digest = PREPROCESSINGS[declared.preprocessing], sha256_of(Path(path))
    return Network(declared.architecture, preprocessing, kernels, biases, declared.source, declared.license, digest)


def write(path: str | Path, network: Network, *, dtype: Literal["float16", "float32"] = "float32") -> Path:
    """Write a neutral file atomically and return its path.

    Raises `UserError` for a network that `read` would refuse, `NstError` for an error of the disk.
    """
    tensors = {f"{name}.weight": kernel for name, kernel in network.kernels.items()}
    tensors |= {f"{name}.bias": bias for name, bias in network.biases.items()}
    values = (FORMAT, network.architecture, network.preprocessing.name, network.source, network.license)
    metadata = dict(zip(METADATA, values, strict=True))
    _check_metadata(path, metadata)
    _channels(path, network.architecture, {name: tensor.shape for name, tensor in tensors.items()})
    stored = {name: _finite(path, name, tensor, dtype) for name, tensor in tensors.items()}
    return _replace(Path(path), _ordered(save(stored, metadata)))


def _ordered(content: bytes) -> bytes:
    """Sort the header of a file, because safetensors writes metadata in random order."""
    end = 8 + int.from_bytes(content[:8], "little")
    header = json.dumps(json.loads(content[8:end]), sort_keys=True, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)  # the values stay aligned
    return len(header).to_bytes(8, "little") + header + content[end:]


def _replace(path: Path, content: bytes) -> Path:
    try:
        atomic.replace(path, lambda file: file.write(content))
    except OSError as error:
        raise NstError(f"cannot write '{path}': {error.strerror or error}") from error
    return path


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open the file as safetensors, which checks its header against its size. Errors name the file's real format."""
    if not os.path.isfile(path):  # nor a folder, a device, a pipe
        problem = f"'{path}' is a folder, not a weights file" if os.path.isdir(path) else f"no weights file at '{path}'"
        raise UserError(problem, FORMAT_HINT)
    try:
        with path.open("rb") as start:
            length = int.from_bytes(start.read(8), "little")
        if LONGEST_HEADER < length < path.stat().st_size:
            raise UserError(f"'{path}' has a header of {length:,} bytes; no VGG has as much to say", FORMAT_HINT)
        with safe_open(path, framework="np") as file:
            yield file
    except OSError as error:
        raise UserError(f"cannot read '{path}': {error.strerror or error}") from error
    except SafetensorError as error:
        size, digest = megabytes(path.stat().st_size), sha256_of(path)
        raise UserError(f"'{path}' is {_kind(path, error)}; {size}, SHA-256 {digest}", FORMAT_HINT) from error


def _kind(path: Path, error: SafetensorError) -> str:
    with path.open("rb") as file:
        start = file.read(64).lstrip()
    kinds = (kind for begin, kind in OTHER_FORMATS.items() if start.startswith(begin))
    return next(kinds, f"not a safetensors file, or an incomplete one ({error})")


def _american(metadata: Mapping[str, str]) -> Mapping[str, str]:
    """Return the metadata with `license` for the older spelling `licence`; `license` wins where a file has both."""
    return {"license" if key == "licence" else key: metadata[key] for key in sorted(metadata)}


def _check_metadata(path: str | Path, metadata: Mapping[str, str]) -> None:
    if missing := [key for key in METADATA if key not in metadata]:
        raise UserError(f"'{path}' lacks the metadata {', '.join(missing)}", FORMAT_HINT)
    for key, allowed in zip(METADATA, ((FORMAT,), BLOCKS, PREPROCESSINGS), strict=False):
        if metadata[key] not in allowed:
            raise unknown(f"{key} in '{path}':", metadata[key], allowed)


def _channels(path: str | Path, architecture: str, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """Return the output channels of each convolution by name, in order, after checking names and shapes."""
    channels, inputs = dict[str, int](), 3
    for name in _present(path, architecture, shapes):
        kernel, bias = shapes[f"{name}.weight"], shapes[f"{name}.bias"]
        outputs = kernel[0] if kernel else 0
        if kernel != (outputs, inputs, 3, 3) or bias != (outputs,) or outputs < 1:
            actual = f"'{path}': {name} has weight {kernel} and bias {bias}"
            raise UserError(f"{actual}; expected weight (N, {inputs}, 3, 3) and bias (N,)")
        channels[name] = inputs = outputs
    return channels


def _present(path: str | Path, architecture: str, tensors: Iterable[str]) -> tuple[str, ...]:
    """Return the convolutions from the first to the deepest present, after checking that they are complete."""
    names, order = set(tensors), convolutions(architecture)
    depths = (depth for depth, name in enumerate(order, 1) if {f"{name}.weight", f"{name}.bias"} & names)
    present = order[: max(depths, default=1)]
    needed = [f"{name}.{part}" for name in present for part in ("weight", "bias")]
    if missing := [name for name in needed if name not in names]:
        raise UserError(f"'{path}' lacks {', '.join(missing)}", "a file may lack only the deepest layers")
    if foreign := sorted(names.difference(needed)):
        raise UserError(f"'{path}' holds {foreign[0]}, which is not part of {architecture}", FORMAT_HINT)
    return present


def _finite(path: str | Path, name: str, tensor: NDArray[Any], dtype: str) -> NDArray[Any]:
    """Return the tensor as `dtype`, in a new, contiguous array."""
    with np.errstate(over="ignore"):
        values = tensor.astype(np.dtype(dtype), order="C")
    if not np.isfinite(values).all():
        hint = "the file is damaged or was trained into the ground: get it again"
        raise UserError(f"'{path}': {name} has values that are not finite in {dtype}", hint)
    return values
