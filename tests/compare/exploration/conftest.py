"""What the tests of exploring share: small pictures, a network, a backend with moods, and `nst explore`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        name="moody", factory="nst_moody.backend:Moody", architecture="vgg19", layers=vgg_layers("vgg19"),
        pooling=("max", "average"),
    )
"""
BACKEND = '''
import os, signal
from nst_torch.vgg import VGG


class Moody(VGG):
    """Says when it is built; ends its process where it should average, and refuses one layer."""

    def __init__(self, network, *, device, pooling, precision):
        print("built", flush=True)
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


@dataclass(frozen=True)
class Outcome:
    """What `nst explore` left behind: exit code, words, and its folder."""

    code: int
    out: str
    err: str
    folder: Path

    @property
    def report(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return found

    @property
    def times(self) -> dict[str, int]:
        return {str(path): path.stat().st_mtime_ns for path in sorted(self.folder.glob("cells/*/*"))}

    @property
    def built(self) -> int:
        """How many networks were built, as `moody` says."""
        return sum(path.read_text("utf-8").count("built") for path in self.folder.glob("cells/*/log.txt"))


@pytest.fixture(scope="session")
def desk(tmp_path_factory, photo, make_network) -> Path:
    """A folder with a content, a style, a network, and a backend that does not always work."""
    folder: Path = tmp_path_factory.mktemp("desk")
    save_image(folder / "content.png", photo(36, 48))
    save_image(folder / "style.png", photo(40, 40, seed=1))
    write(folder / "small.safetensors", make_network())
    info = folder / "plugins" / "nst_moody-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "entry_points.txt").write_text("[nst.v1]\nnst-moody = nst_moody\n")
    (info / "METADATA").write_text("Name: nst-moody\nVersion: 1.0\n")
    package = folder / "plugins" / "nst_moody"
    package.mkdir()
    (package / "__init__.py").write_text(ENTRY)
    (package / "backend.py").write_text(BACKEND)
    return folder


@pytest.fixture(scope="session")
def explore(desk):
    """`explore(*words, output="folder")`: `nst explore` as a process of its own, in the desk's folder."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    path = os.pathsep.join([str(desk / "plugins"), *filter(None, [kept.get("PYTHONPATH")])])
    ours = {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path}

    def call(*words: str, output: str) -> Outcome:
        command = [sys.executable, "-m", "nst", "explore", *words, "-o", output]
        done = subprocess.run(command, cwd=desk, env=kept | ours, capture_output=True, text=True, timeout=180)
        return Outcome(done.returncode, done.stdout, done.stderr, desk / output)

    return call
