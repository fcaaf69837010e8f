"""torchvision's own ImageNet weights: where torch.hub keeps them, how to fetch them, how to read them.

The address and the checksum are torchvision's, the place is torch.hub's, so a file that either has downloaded is
found here. Importing this imports no framework.
"""

from __future__ import annotations

import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from nst.errors import NstError, UserError
from nst.io.download import download, sha256_of
from nst.vgg import BLOCKS


def _torchvision_url(enum: str) -> str:
    from nst_torch.torchvision_import import torchvision

    return str(getattr(torchvision.models, enum).IMAGENET1K_V1.url)


@dataclass(frozen=True)
class HubWeights:
    """A `nst.protocols.WeightSource` for a torchvision VGG.

    `file` is its name in torch.hub's folder; the eight hex digits in it begin the file's SHA-256, as torch.hub has it.
    """

    architecture: str
    file: str
    enum: str
    url: Callable[[str], str] = _torchvision_url

    @property
    def sha256(self) -> str:
        """The first eight hex digits of the file's SHA-256."""
        return self.file.rpartition("-")[2].removesuffix(".pth")

    @property
    def _fetch_line(self) -> str:
        return f"nst weights fetch imagenet --backend torch-{self.architecture}"

    def path(self) -> Path:
        """Under `TORCH_HOME`, else `XDG_CACHE_HOME`, else `~/.cache`: as `torch.hub.get_dir` decides."""
        cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
        home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
        return Path(os.path.expanduser(home)) / "hub" / "checkpoints" / self.file

    def fetch(self, on_progress: Callable[[int, int], None] | None = None) -> Path:
        """Download from torchvision's address, verified and resumable."""
        return download(self.url(self.enum), self.path(), sha256=self.sha256, on_progress=on_progress)

    def verify(self) -> str:
        """Return the file's SHA-256. Raises `UserError` if the file is missing or its hash is wrong."""
        path = self.path()
        if not path.is_file():
            raise UserError(f"no {self.architecture} weights at '{path}'", self._fetch_line)
        digest = sha256_of(path)
        if not digest.startswith(self.sha256):
            raise UserError(
                f"'{path}' ({path.stat().st_size / 1e6:.0f} MB) has SHA-256 {digest[:8]}…, not {self.sha256}…",
                f"delete it, then {self._fetch_line}",
            )
        return digest

    def load(self) -> Any:
        """Return a `nst.vgg.network.Network`. Only tensors are read (`weights_only`): nothing in the file can run."""
        from nst.vgg import TORCHVISION, Network
        from nst_torch.torch_import import torch

        try:
            mapped = zipfile.is_zipfile(self.path())  # torchvision's own are older than PyTorch's zip format
            tensors = torch.load(self.path(), map_location="cpu", weights_only=True, mmap=mapped)
            named = list(_named(tensors, self.architecture))
        except Exception as error:
            raise NstError(f"'{self.path()}' cannot be read as torchvision weights: {error}", _VERIFY) from error
        return Network(
            architecture=self.architecture,
            preprocessing=TORCHVISION,
            kernels={name: kernel for name, kernel, _ in named},
            biases={name: bias for name, _, bias in named},
            source=f"torchvision {self.enum}.IMAGENET1K_V1",
            license="BSD-3-Clause",
            sha256=self.verify(),
        )


_VERIFY = "nst weights verify imagenet tells whether it is whole"


def _named(tensors: Mapping[str, Any], architecture: str) -> Iterator[tuple[str, Any, Any]]:
    """`conv1_1` … with kernels and biases: torchvision numbers its layers, a ReLU after each convolution."""
    index = 0
    for block, count in enumerate(BLOCKS[architecture], start=1):
        for conv in range(1, count + 1):
            key = f"features.{index}"
            yield f"conv{block}_{conv}", tensors[f"{key}.weight"].numpy(), tensors[f"{key}.bias"].numpy()
            index += 2
        index += 1  # the pool


VGG19 = HubWeights("vgg19", "vgg19-dcbb9e9d.pth", "VGG19_Weights")
VGG16 = HubWeights("vgg16", "vgg16-397923af.pth", "VGG16_Weights")
