"""What the command-line tests share: a folder with a content and a style, and `nst` here or in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nst.images import save_image
from nst.vgg.network import write

Nst = Callable[..., "Outcome"]


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def errors(self) -> list[str]:
        return self._after("error: ")

    @property
    def hints(self) -> list[str]:
        return self._after("hint: ")

    def _after(self, word: str) -> list[str]:
        return [line.removeprefix(word) for line in self.err.splitlines() if line.startswith(word)]


@pytest.fixture(scope="session")
def weights(make_network, tmp_path_factory) -> Path:
    """A neutral file of a small random VGG-19."""
    return write(tmp_path_factory.mktemp("weights") / "small.safetensors", make_network())


@pytest.fixture
def unsized(weights) -> list[str]:
    """Options of a short run with a small network, its size left open."""
    exact = ["--device", "cpu", "--precision", "float32"]
    return ["--steps", "3", *exact, "--weights", str(weights)]


@pytest.fixture
def fast(unsized) -> list[str]:
    """Options that make a run as small as runs get."""
    return ["--size", "48", "--levels", "1", *unsized]


@pytest.fixture
def here(tmp_path, photo, monkeypatch) -> Path:
    """The current folder, with `content.png` (48×36) and `style.png` (40×40)."""
    save_image(tmp_path / "content.png", photo(36, 48))
    save_image(tmp_path / "style.png", photo(40, 40, seed=1))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nst(plugins, monkeypatch, capfd) -> Nst:
    """`nst(*words)` in this process, with our own plugins and no others."""
    from nst.cli.app import run

    monkeypatch.setenv("NST_DISABLE_PLUGINS", "")  # --no-plugins sets it: this puts it back
    monkeypatch.setattr("nst.plugins.host.discover", lambda: [plugin.entry for plugin in plugins.installed])

    def call(*words: str | Path) -> Outcome:
        capfd.readouterr()
        code = run([str(word) for word in words])
        return Outcome(code, *capfd.readouterr())

    return call


@pytest.fixture(scope="session")
def environment() -> dict[str, str]:
    """The environment of a process whose terminal, plugins and threads are nobody's in particular."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("NST_", "PYTHONIOENCODING"))}
    return kept | {"OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE", "TERM": "xterm"}


@pytest.fixture(scope="session")
def process(environment) -> Nst:
    """`process(*words, TERM="dumb")`: nst as a process of its own, with changes to its environment."""

    def call(*words: str | Path, **changes: str) -> Outcome:
        command = [sys.executable, "-m", "nst", *map(str, words)]
        done = subprocess.run(command, env=environment | changes, capture_output=True, timeout=60)
        return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())

    return call


@pytest.fixture
def forged():
    """`forged(change)`: `run.nst` with its JSON changed by `change(run)`, and a checksum that is right."""
    import safetensors.numpy

    from nst.persistence import checkpoint

    def call(change):
        arrays = safetensors.numpy.load_file("run.nst")
        run = checkpoint.Checkpoint("run.nst")._run
        change(run)
        text = json.dumps(run)
        arrays = {name: arrays[name] for name in sorted(arrays, key=checkpoint._order(arrays))}
        crc = str(checkpoint._checksum(text, arrays))
        safetensors.numpy.save_file(arrays, "run.nst", {"format": checkpoint.FORMAT, "run": text, "crc32": crc})

    return call
