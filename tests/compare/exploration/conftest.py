"""Fixtures of the exploration tests: small pictures, a network, a backend that fails at times, `nst explore`."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest

from nst.images import save_image
from nst.vgg.network import write

PAIR = ("content.png", "style.png")
FAST = ("--size", "48", "--levels", "1", "--steps", "3", "--device", "cpu", "--weights", "small.safetensors")

ENTRY = """
from nst.vgg.architecture import vgg_layers
from nst.hookspecs import hookimpl
from nst.specs import BackendSpec


@hookimpl
def nst_backends():
    yield BackendSpec(
        name="moody", factory="nst_moody.backends:Moody", architecture="vgg19", layers=vgg_layers("vgg19"),
        pooling=("max", "average"),
    )
"""
BACKEND = '''
import os, signal
from nst_torch.vgg import VGG


class Moody(VGG):
    """Record each construction; end the process for average pooling, and refuse one layer."""

    def __init__(self, network, *, device, pooling, precision):
        with open("built.txt", "a") as file:
            print("moody", file=file)
        super().__init__(network, device=device, pooling=pooling, precision=precision)
        self._pooling_asked = pooling

    def value_and_grad(self, loss):
        if self._pooling_asked == "average":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().value_and_grad(loss)

    def features(self, image, layers):
        if "relu1_2" in layers:
            raise RuntimeError("not in the mood for relu1_2")
        return super().features(image, layers)
'''


@pytest.fixture(scope="session")
def desk(tmp_path_factory, photo, make_network, install) -> Path:
    """A folder with a content, a style, a network, and a backend that does not always work."""
    folder: Path = tmp_path_factory.mktemp("desk")
    save_image(folder / "content.png", photo(36, 48))
    save_image(folder / "style.png", photo(40, 40, seed=1))
    write(folder / "small.safetensors", make_network())
    install(folder, "nst_moody", ENTRY, BACKEND)
    return folder


@pytest.fixture(scope="session")
def explore(desk, run_nst):
    """`explore(*words, output="folder")`: `nst explore` as a process of its own, in the desk's folder."""
    return partial(run_nst, desk, "explore")
