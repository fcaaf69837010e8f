"""What a path holds: a SavedModel's folder, or two TFLite files and which of them does what."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from nst.errors import UserError
from nst_tfhub.models import Model

if TYPE_CHECKING:
    from nst_tfhub.litert import Network

TAKES = (
    "--weights takes magenta, magenta-lite, the folder of Magenta's SavedModel, a folder with its style_predict and "
    "style_transfer .tflite files, or 'PREDICT.tflite,TRANSFER.tflite'"
)


@dataclass(frozen=True)
class TFLitePair:
    """Two TFLite files, opened once and found to be Magenta's halves."""

    predict: Path
    transfer: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """Both."""
        return self.transfer, self.predict

    def open(self, device: str) -> Model:
        """On LiteRT, which computes on the CPU here. Raises `UserError`."""
        from nst_tfhub.litert import LiteModel, Network

        if device not in ("auto", "cpu"):
            hint = "use --device cpu, or a SavedModel on TensorFlow"
            raise UserError(f"device '{device}': LiteRT computes on the CPU here", hint)
        return LiteModel(Network(self.predict), Network(self.transfer))


@dataclass(frozen=True)
class SavedModelFolder:
    """A folder with `saved_model.pb` in it. What it computes is known once TensorFlow opens it."""

    folder: Path

    @property
    def files(self) -> tuple[Path, ...]:
        """The graph and its variables."""
        return self.folder / "saved_model.pb", *sorted((self.folder / "variables").glob("variables.*"))

    def open(self, device: str) -> Model:
        """On TensorFlow: its import takes seconds. Raises `UserError`."""
        with needed("tensorflow", "savedmodel"):
            from nst_tfhub.savedmodel import SavedModel
        return SavedModel(self.folder, device)


def find(text: str) -> TFLitePair | SavedModelFolder:
    """Return the model files at `--weights TEXT`. TFLite files are inspected; raises `UserError` for unfit files."""
    if "," in text:
        first, _, second = text.partition(",")
        return _pair(_file(first.strip()), _file(second.strip()))
    path = Path(os.path.expanduser(text))
    if (path / "saved_model.pb").is_file():
        return SavedModelFolder(path)
    if path.is_dir():
        return _in_folder(path)
    if path.is_file():
        raise UserError(f"'{text}' is one file", TAKES)
    raise UserError(f"there is nothing at '{text}'", TAKES)


def _file(text: str) -> Path:
    path = Path(os.path.expanduser(text))
    if not path.is_file():
        raise UserError(f"there is no file '{text}'", TAKES)
    return path


def _network(path: Path) -> Network:
    with needed("ai_edge_litert", ""):
        from nst_tfhub.litert import Network
    return Network(path)


def _pair(first: Path, second: Path) -> TFLitePair:
    predict, transfer = _network(first), _network(second)
    if (predict.role, transfer.role) == ("transfer", "predict"):
        message = f"'{first}' is the style_transfer and '{second}' the style_predict"
        raise UserError(message, f"the other way around: --weights {second},{first}")
    for network, role in ((predict, "predict"), (transfer, "transfer")):
        if network.role != role:
            raise UserError(f"{network} is not Magenta's style_{role}", TAKES)
    return _matching(predict, transfer)


def _matching(predict: Network, transfer: Network) -> TFLitePair:
    if predict.code_length != transfer.code_length:
        lengths = f"gives {predict.code_length} numbers, '{transfer.path}' takes {transfer.code_length}"
        raise UserError(f"'{predict.path}' {lengths}", "they are not halves of one network")
    return TFLitePair(predict.path, transfer.path)


def _in_folder(folder: Path) -> TFLitePair:
    """Return the one predict and the one transfer network, preferring a transfer network for any size."""
    networks = [_network(path) for path in sorted(folder.glob("*.tflite"))]
    if not networks:
        raise UserError(f"'{folder}' holds no saved_model.pb and no .tflite file", TAKES)
    predicts = [network for network in networks if network.role == "predict"]
    transfers = [network for network in networks if network.role == "transfer"]
    free = [network for network in transfers if network.side is None]
    return _matching(_only(folder, "predict", predicts), _only(folder, "transfer", free or transfers))


def _only(folder: Path, role: str, networks: list[Network]) -> Network:
    if not networks:
        raise UserError(f"'{folder}' holds no style_{role} among its .tflite files", TAKES)
    if len(networks) > 1:
        names = ", ".join(network.path.name for network in networks)
        raise UserError(f"'{folder}' holds several of style_{role}: {names}", "name two: --weights PREDICT,TRANSFER")
    return networks[0]


@contextmanager
def needed(module: str, extra: str) -> Iterator[None]:
    """Around an import: the pip line where `module` is not installed."""
    try:
        yield
    except ModuleNotFoundError as error:
        if error.name != module:
            raise
        requirement = f"'nst-tfhub[{extra}]'" if extra else "nst-tfhub"
        raise UserError(f"these weights need {module}", f"pip install {requirement}") from error
