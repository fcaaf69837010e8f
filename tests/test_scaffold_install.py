"""As a stranger has it: nst from its wheel, and a plugin of each kind made, built, installed, tested and used.

It all happens in one virtual environment with nothing of the checkout in it; what is not nst's comes from the package
registry that pip is configured for.
"""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from nst.images import save_image
from nst.scaffold import KINDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SMALL = ["--size", "32", "--levels", "1", "--steps", "2"]
OTHERS = {
    "--backend": "example-backend --style-layers relu1_1,relu2_1,relu3_1 --content-layers relu3_1",
    "--optimizer": "example-optimizer",
    "--init": "example-initializer",
}
"""What a picture needs beside a new plugin, from nst-example: no framework."""


@dataclass(frozen=True)
class Stranger:
    """Somebody's folder, with a virtual environment in it."""

    home: Path

    def try_to(self, *words: str | Path, cwd: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of the virtual environment."""
        program, *arguments = words
        bin = self.home / "venv" / ("Scripts" if os.name == "nt" else "bin")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NST_", "PYTHON"))}
        command = [str(bin / program), *map(str, arguments)]
        return subprocess.run(command, cwd=self.home / cwd, env=kept, capture_output=True, text=True)

    def do(self, *words: str | Path, cwd: str = "") -> str:
        """Run a command that must succeed; what it printed."""
        done = self.try_to(*words, cwd=cwd)
        assert done.returncode == 0, f"{shlex.join(map(str, words))}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def install(self, *what: str | Path) -> None:
        """Install with pip, at the versions that this project is tested with."""
        self.do("pip", "install", "--no-compile", "--constraint", ROOT / "constraints.txt", *what)

    def build(self, *sources: str | Path) -> list[Path]:
        """The wheels of some distributions, in no order."""
        before = set(self.home.glob("wheels/*"))
        self.do("pip", "wheel", "--no-deps", "--no-build-isolation", "-w", "wheels", *sources)
        return sorted(set(self.home.glob("wheels/*")) - before)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory, photo):
    """nst's wheel, made from its source distribution, and nst-example's; skips where no registry answers."""
    someone = Stranger(tmp_path_factory.mktemp("stranger"))
    subprocess.run([sys.executable, "-m", "venv", someone.home / "venv"], check=True)
    tools = someone.try_to("pip", "install", "hatchling", "--retries", "1")
    if tools.returncode:
        pytest.skip(f"pip reaches no package registry: {tools.stderr.strip().splitlines()[-1]}")
    someone.do("hatchling", "build", "-t", "sdist", "-d", someone.home, cwd=str(ROOT))
    (source,) = someone.home.glob("nst-*.tar.gz")
    wheels = someone.build(source, ROOT / "plugins" / "nst-example")
    someone.install(*wheels)
    save_image(someone.home / "content.jpg", photo(24, 32))
    save_image(someone.home / "style.jpg", photo(32, 32, seed=1))
    return someone


@pytest.fixture(scope="module")
def uses(stranger):
    """What `nst plugins new` says to run in the end, by kind: every plugin is written, built and installed."""
    said = {kind: stranger.do("nst", "plugins", "new", f"nst-new-{kind}", "--kind", kind) for kind in KINDS}
    wheels = stranger.build(*(f"./nst-new-{kind}" for kind in KINDS))
    stranger.install(*(f"{wheel}[test]" for wheel in wheels))
    return {kind: printed.splitlines()[-1] for kind, printed in said.items()}


def test_the_wheel_is_the_same_from_the_source_distribution_and_from_the_checkout(stranger):
    (through_source,) = (stranger.home / "wheels").glob("nst-*.whl")
    stranger.do("hatchling", "build", "-t", "wheel", "-d", stranger.home, cwd=str(ROOT))
    (direct,) = stranger.home.glob("nst-*.whl")
    assert ZipFile(through_source).namelist() == ZipFile(direct).namelist()


def test_nst_finds_each_of_them(stranger, uses):
    rows = json.loads(stranger.do("nst", "plugins", "list", "--json"))
    found = {row["distribution"]: (row["status"], row["offers"]) for row in rows}
    for kind in KINDS:
        name = f"nst-new-{kind}"
        assert found[name] == ("ok", {kind.removeprefix("image-"): [name]})


@pytest.mark.parametrize("kind", KINDS)
def test_its_own_tests_pass(stranger, uses, kind):
    assert " passed" in stranger.do("pytest", "-q", cwd=f"nst-new-{kind}")


@pytest.mark.parametrize("kind", KINDS)
def test_it_paints(stranger, uses, kind):
    """By the command that `nst plugins new` prints, as small as can be, on a backend that needs no framework."""
    words = shlex.split(uses[kind])
    if kind != "image-backend":
        words += SMALL
        words += [word for flag, value in OTHERS.items() if flag not in words for word in (flag, *value.split())]
    stranger.do(*words)
    assert (stranger.home / "out.png").is_file()
    (stranger.home / "out.png").unlink()
