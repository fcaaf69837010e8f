"""keras.applications' own ImageNet weights: where Keras keeps them, how to fetch them, how to read them.

Names, addresses and MD5 sums are those `keras.applications` passes to `keras.utils.get_file` when asked for
`weights="imagenet", include_top=False`, and the place is where that puts them, so a file that either has downloaded
is found by both. Importing this imports no framework.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from nst.errors import NstError, UserError
from nst.io.download import sha256_of
from nst.vgg import convolutions
from nst_keras import SIZES
from nst_keras.keras_settings import home

ADDRESS = "https://storage.googleapis.com/tensorflow/keras-applications"
Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class KerasWeights:
    """A `nst.protocols.WeightSource` for a keras.applications VGG; `md5` is its file's, `size` in bytes."""

    architecture: str
    md5: str
    size: int
    address: str = ADDRESS

    @property
    def file(self) -> str:
        """Its name in Keras' folder of models."""
        return f"{self.architecture}_weights_tf_dim_ordering_tf_kernels_notop.h5"

    @property
    def url(self) -> str:
        """Where it is downloaded from."""
        return f"{self.address}/{self.architecture}/{self.file}"

    @property
    def _fetch_line(self) -> str:
        return f"nst weights fetch imagenet --backend keras-{self.architecture}"

    def path(self) -> Path:
        """In the folder `models` under `KERAS_HOME`, else `~/.keras`: as `keras.utils.get_file` decides."""
        return home() / "models" / self.file

    def fetch(self, on_progress: Progress | None = None) -> Path:
        """Download with `keras.utils.get_file`, verified, in a folder of its own: whole or not at all."""
        path = self.path()
        if not (path.is_file() and _md5(path) == self.md5):
            try:
                path.parent.mkdir(parents=True, exist_ok=True)
                with TemporaryDirectory(prefix=".nst-", dir=path.parent) as folder:
                    os.replace(self._download(Path(folder), on_progress or _silent), path)
            except OSError as error:
                raise NstError(f"cannot write '{path}': {error.strerror or error}") from error
        return path

    def _download(self, folder: Path, on_progress: Progress) -> Path:
        from nst_keras.keras_import import keras, quiet

        file = folder / self.file
        try:
            with quiet(), _reported(file, self.size, on_progress):
                keras.utils.get_file(self.file, self.url, cache_dir=str(folder), cache_subdir="", file_hash=self.md5)
        except Exception as error:
            hint = f"get it by hand and put it at '{self.path()}', or use another file with --weights FILE"
            raise NstError(f"cannot download {self.url}: {error}", hint) from error
        on_progress(file.stat().st_size, self.size)
        return file

    def verify(self) -> str:
        """Return the file's SHA-256. Raises `UserError` when it is missing or not the one Keras knows by its MD5."""
        path = self.path()
        if not path.is_file():
            raise UserError(f"no {self.architecture} weights at '{path}'", self._fetch_line)
        if (digest := _md5(path)) != self.md5:
            raise UserError(
                f"'{path}' ({path.stat().st_size / 1e6:.0f} MB) has MD5 {digest[:8]}…, not {self.md5[:8]}…",
                f"delete it, then {self._fetch_line}",
            )
        return sha256_of(path)

    def load(self) -> Any:
        """Return a `nst.vgg.network.Network`. Read without Keras, which would occupy a GPU too early."""
        from nst.vgg import CAFFE, Network

        digest = self.verify()
        try:
            named = list(_named(self.path(), self.architecture))
        except Exception as error:
            raise NstError(f"'{self.path()}' cannot be read as Keras' weights: {error}", self._fetch_line) from error
        return Network(
            architecture=self.architecture,
            preprocessing=CAFFE,
            kernels={name: kernel for name, kernel, _ in named},
            biases={name: bias for name, _, bias in named},
            source=f"keras.applications {self.architecture.upper()} imagenet",
            license="CC BY 4.0",
            sha256=digest,
        )


def _silent(done: int, total: int) -> None:
    pass


def _md5(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, partial(hashlib.md5, usedforsecurity=False)).hexdigest()


@contextmanager
def _reported(file: Path, size: int, on_progress: Progress) -> Iterator[None]:
    """Tell how the file grows: Keras draws a bar of its own and tells nobody."""
    done = Event()

    def watch() -> None:
        while not done.wait(0.1):
            with suppress(FileNotFoundError):
                on_progress(file.stat().st_size, size)

    thread = Thread(target=watch, name="keras-download", daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def _named(path: Path, architecture: str) -> Iterator[tuple[str, Any, Any]]:
    """`conv1_1` … with kernels `(out, in, 3, 3)` and biases, from groups `block1_conv1` with `(3, 3, in, out)`."""
    import h5py

    with h5py.File(path) as file:
        for name in convolutions(architecture):
            block, conv = name.removeprefix("conv").split("_")
            group = file[f"block{block}_conv{conv}"]
            kernel, bias = (group[weight][()] for weight in group.attrs["weight_names"])
            yield name, kernel.transpose(3, 2, 0, 1).copy(), bias


VGG19 = KerasWeights("vgg19", "253f8cb515780f3b799900260a226db6", SIZES["vgg19"])
VGG16 = KerasWeights("vgg16", "6d6bbae143d832006294945121d1f1fc", SIZES["vgg16"])
