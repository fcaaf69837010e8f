"""Fixtures of the comparison tests: small pictures and networks, backends that fail on purpose, `nst compare`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nst.images import save_image
from nst.vgg.network import write

FAST = ["--size", "48", "--levels", "1", "--steps", "3", "--device", "cpu", "--quiet"]

ENTRY = """
from nst.vgg.architecture import vgg_layers
from nst.hookspecs import hookimpl
from nst.specs import BackendSpec


def backend(name, **more):
    return BackendSpec(
        name=name, factory=f"nst_wrong.backends:{name.title()}", architecture="vgg19", layers=vgg_layers("vgg19"),
        **more
    )


@hookimpl
def nst_backends():
    for name in ("right", "scaled", "killed", "starved", "slow"):
        yield backend(name)
    yield backend("absent", requires=("no_such_framework",), install="nst-absent")
    yield BackendSpec(name="painter", factory="nst_wrong.backends:Painter", kind="image")
"""
BACKENDS = '''
import os, signal, time
import numpy as np
from nst_torch.vgg import VGG


class Right(VGG):
    def __init__(self, network, **options):
        with open("built.txt", "a") as file:
            print("right", file=file)
        super().__init__(network, **options)


class Scaled(VGG):
    """An error no cosine would see."""

    def features(self, image, layers):
        return {name: 1.01 * found for name, found in super().features(image, layers).items()}


class Killed(VGG):
    """Ends its process as the system does when memory runs out, after the features have been looked at."""

    def value_and_grad(self, loss):
        os.kill(os.getpid(), signal.SIGKILL)


class Starved(VGG):
    """Runs out of memory where a gradient is wanted, and says so."""

    def value_and_grad(self, loss):
        raise MemoryError("no room for 12 GB")


class Slow(VGG):
    def features(self, image, layers):
        time.sleep(60)


class Painter:
    """A network that paints in one pass."""

    device, precision, notes = "cpu", "as stored", ("a note of the painter's",)

    def __init__(self, network, *, device):
        pass

    def stylize(self, content, styles, *, blend, style_scale):
        return np.ascontiguousarray(content[:, ::-1])

    def peak_memory(self):
        return None
'''


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout, stderr, its folder, and the number of backends that were built."""

    code: int
    out: str
    err: str
    folder: Path
    built: int

    @property
    def report(self) -> dict[str, Any]:
        report: dict[str, Any] = json.loads((self.folder / "report.json").read_text("utf-8"))
        return report

    @property
    def times(self) -> dict[str, int]:
        """The modification time of every file in the cells' folders."""
        return {str(path): path.stat().st_mtime_ns for path in sorted(self.folder.glob("cells/*/*"))}

    def column(self, name: str) -> dict[str, Any]:
        column: dict[str, Any] = next(column for column in self.report["columns"] if column["name"] == name)
        return column

    def rows(self, **wanted: str) -> list[dict[str, Any]]:
        return [row for row in self.report["rows"] if wanted.items() <= row.items()]


def environment_of(desk: Path) -> dict[str, str]:
    """The environment of commands in a desk's folder, which find its plugins."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("NST_")}
    path = os.pathsep.join([str(desk / "plugins"), *filter(None, [kept.get("PYTHONPATH")])])
    return kept | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "PYTHONPATH": path, "COLUMNS": "160"}


@pytest.fixture(scope="session")
def install():
    """`install(desk, name, entry, backends)`: install a plugin of backends in a desk's folder."""

    def call(desk: Path, name: str, entry: str, backends: str) -> None:
        info, package = desk / "plugins" / f"{name}-1.0.dist-info", desk / "plugins" / name
        info.mkdir(parents=True)
        (info / "entry_points.txt").write_text(f"[nst.v1]\n{name} = {name}\n")
        (info / "METADATA").write_text(f"Name: {name.replace(chr(95), chr(45))}\nVersion: 1.0\n")
        package.mkdir()
        (package / "__init__.py").write_text(entry)
        (package / "backends.py").write_text(backends)

    return call


@pytest.fixture(scope="session")
def run_nst():
    """`run_nst(desk, command, *words, output="folder")`: an nst command as a process in a desk's folder."""

    def call(desk: Path, command: str, *words: str, output: str = "report") -> Outcome:
        built = desk / "built.txt"
        built.unlink(missing_ok=True)
        arguments = [sys.executable, "-m", "nst", command, *words, "-o", output]
        environment = environment_of(desk)
        done = subprocess.run(arguments, cwd=desk, env=environment, capture_output=True, text=True, timeout=180)
        count = len(built.read_text().splitlines()) if built.exists() else 0
        return Outcome(done.returncode, done.stdout, done.stderr, desk / output, count)

    return call


@pytest.fixture(scope="session")
def desk(tmp_path_factory, photo, make_network, install) -> Path:
    """A folder with a content, a style, two networks, one of them twice, and backends that go wrong."""
    folder = tmp_path_factory.mktemp("desk")
    save_image(folder / "content.png", photo(36, 48))
    save_image(folder / "style.png", photo(40, 40, seed=1))
    write(folder / "small.safetensors", make_network())
    write(folder / "same.safetensors", make_network())
    write(folder / "other.safetensors", make_network(seed=1, preprocessing="caffe"))
    install(folder, "nst_wrong", ENTRY, BACKENDS)
    return folder


@pytest.fixture(scope="session")
def environment(desk) -> dict[str, str]:
    return environment_of(desk)


@pytest.fixture(scope="session")
def compare(desk, run_nst):
    """`compare(*words, output="report")`: `nst compare` as a process of its own, in the desk's folder."""
    return partial(run_nst, desk, "compare")
