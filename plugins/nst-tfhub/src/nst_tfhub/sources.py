"""Where Magenta's networks come from: Kaggle, which TF-Hub moved to, or a path.

Importing this imports no framework. Kaggle's files are kept where kagglehub keeps them, so that what either has
fetched is found here; kagglehub is TF-Hub's maintained successor (`tensorflow_hub` 0.16 needs a `pkg_resources` that
today's setuptools no longer has).
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from nst.errors import NstError, UserError
from nst.io.download import sha256_of
from nst.protocols import WeightSource
from nst_tfhub.files import TAKES, SavedModelFolder, TFLitePair, find, needed

Progress = Callable[[int, int], None]


@dataclass(frozen=True)
class LocalModel:
    """A `nst.protocols.WeightSource` for files that are there: `text` is a folder, or two files and a comma between."""

    text: str

    def path(self) -> Path:
        """Return the graph or the transfer network, or the path as given if no file fits."""
        try:
            return self.load().files[0]
        except UserError:
            return Path(os.path.expanduser(self.text))

    def fetch(self, on_progress: Progress | None = None) -> Path:
        """Return the file; raises `UserError` if no file fits, since it cannot be downloaded."""
        return self.load().files[0]

    def verify(self) -> str:
        """Return the SHA-256 in hex, see `digest`; raises like `load`."""
        return digest(self.load().files)

    def load(self) -> SavedModelFolder | TFLitePair:
        """Return the files, checked as far as possible without TensorFlow; raises `UserError`."""
        return find(self.text)


@dataclass(frozen=True)
class KaggleModel:
    """A `nst.protocols.WeightSource` for the weight set `name`, in kagglehub's cache.

    `files` are `owner/model/framework/variation/version/file`, one of each model there is to fetch. Versions are
    pinned: a version never changes, and its place is known without asking Kaggle.
    """

    name: str
    files: tuple[str, ...]

    def path(self) -> Path:
        """Return the last file of a download, under `KAGGLEHUB_CACHE`, else `~/.cache/kagglehub`, as kagglehub does."""
        return _cached(self.files[-1])

    def fetch(self, on_progress: Progress | None = None) -> Path:
        """Download with kagglehub, which verifies and resumes; raises `NstError` where Kaggle cannot be reached."""
        for file in self.files:
            _download(file.rpartition("/")[0])
        size = sum(path.stat().st_size for path in self.load().files)
        if on_progress:
            on_progress(size, size)
        return self.path()

    def verify(self) -> str:
        """Return the SHA-256 in hex, see `digest`; raises like `load`."""
        return digest(self.load().files)

    def load(self) -> SavedModelFolder | TFLitePair:
        """Return the files on disk; raises `UserError` if a file is missing. Never downloads."""
        paths = [_cached(file) for file in self.files]
        if missing := [path for path in paths if not path.is_file()]:
            fetch = f"nst weights fetch {self.name} --backend tfhub-fast"
            raise UserError(f"no {self.name} weights at '{missing[0]}'", f"{fetch}; or {TAKES}")
        return SavedModelFolder(paths[0].parent) if len(paths) == 1 else find(",".join(map(str, paths)))


_MODELS = "google/arbitrary-image-stylization-v1"
MAGENTA = KaggleModel("magenta", (f"{_MODELS}/tensorFlow1/256/2/saved_model.pb",))
MAGENTA_LITE = KaggleModel(
    "magenta-lite", tuple(f"{_MODELS}/tfLite/256-int8-{half}/1/1.tflite" for half in ("prediction", "transfer"))
)

_FRAME = {
    "",
    "https:",
    "www.kaggle.com",
    "kaggle.com",
    "tfhub.dev",
    "models",
    "frameworks",
    "variations",
    "versions",
    "2",
}
"""The words of an address that do not tell one model from another; 2 is the version, the same at both."""

_ADDRESSES = {
    (*_MODELS.split("/"), "tensorflow1", "256"),
    ("google", "magenta", "arbitrary-image-stylization-v1-256"),
}


def source(text: str) -> WeightSource:
    """Return the source for `--weights TEXT`: Magenta's handle at Kaggle or its old address at TF-Hub, else a path."""
    words = tuple(word for word in text.partition("?")[0].lower().split("/") if word not in _FRAME)
    return MAGENTA if words in _ADDRESSES and not os.path.exists(text) else LocalModel(text)


def digest(files: Iterable[Path]) -> str:
    """Return the SHA-256 in hex of one file, or of the concatenated SHA-256s of several, in their order."""
    digests = [sha256_of(file) for file in files]
    return digests[0] if len(digests) == 1 else hashlib.sha256("".join(digests).encode()).hexdigest()


def _cached(file: str) -> Path:
    cache = os.environ.get("KAGGLEHUB_CACHE", os.path.expanduser("~/.cache/kagglehub"))
    return Path(cache) / "models" / file


def _download(handle: str) -> None:
    with needed("kagglehub", "kaggle"):
        import kagglehub
    try:
        kagglehub.model_download(handle)
    except Exception as error:  # requests' and kagglehub's own, which share no base
        unreachable = type(error).__name__ in ("ConnectionError", "ConnectTimeout", "ReadTimeout")
        reason = "no connection" if unreachable else str(error).partition("\n")[0] or type(error).__name__
        hint = f"get it by hand from https://www.kaggle.com/models/{_MODELS} and give its path: {TAKES}"
        raise NstError(f"cannot fetch {handle} from Kaggle: {reason}", hint) from error
