"""A stranger's folder, with nst from its wheel in a virtual environment that has nothing of the checkout in it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from nst.images import save_image

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True)
class Stranger:
    """Somebody's folder, with a virtual environment in it."""

    home: Path

    def try_to(self, *words: str | Path, cwd: str = "") -> subprocess.CompletedProcess[str]:
        """Run a command of the virtual environment."""
        program, *arguments = words
        bin = self.home / "venv" / ("Scripts" if os.name == "nt" else "bin")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NST_", "PYTHON"))}
        path = {"PATH": os.pathsep.join([str(bin), os.environ["PATH"]])}
        command = [shutil.which(program, path=path["PATH"]) or program, *map(str, arguments)]
        return subprocess.run(command, cwd=self.home / cwd, env=kept | path, capture_output=True, text=True)

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


@pytest.fixture(scope="session")
def stranger(tmp_path_factory, photo) -> Stranger:
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
