"""Installs distributions as pip does, and runs nst beside them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from nst.images import save_image

ROOT = Path(__file__).parents[2]
POSIX = sys.platform != "win32"


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


class Running:
    """A command on its way."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self.process = process

    def outcome(self) -> Outcome:
        out, err = self.process.communicate(timeout=120)
        return Outcome(self.process.returncode, out.decode(), err.decode())


@dataclass(frozen=True)
class Site:
    """A virtual environment with nst, and a folder with two pictures, `content.png` and `style.png`, to call it in."""

    python: Path
    desk: Path

    def start(self, *words: str, **changes: str) -> Running:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("NST_", "PYTHON"))}
        process = subprocess.Popen(
            [str(self.python), "-m", "nst", *words],
            cwd=self.desk,
            env=kept | {"PYTHONIOENCODING": "utf-8"} | changes,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        return Running(process)


@pytest.fixture(scope="module")
def site(crowd, tmp_path_factory, photo) -> Site:
    """Everything `crowd` names, each a distribution, its files and its entry points, installed beside nst."""
    folder = tmp_path_factory.mktemp("chaos")
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv" / ("bin/python" if POSIX else "Scripts/python.exe")
    _install(python, folder, crowd)
    _spoil(next((folder / "venv").rglob("chaos_healthy-1.0.dist-info")).parent)
    for name in ("content", "style"):
        save_image(folder / f"{name}.png", photo(24, 32))
    return Site(python, folder)


def _install(python: Path, folder: Path, crowd: Iterable[tuple[str, Mapping[str, str], str]]) -> None:
    pip = [sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"]
    done = subprocess.run([*pip, str(ROOT)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"nst and what it needs cannot be installed here: {done.stderr.strip().splitlines()[-1]}")
    wheels = [_wheel(folder, *distribution) for distribution in crowd]
    subprocess.run([*pip, "--no-deps", "--no-index", "--no-compile", *wheels], check=True)


def _wheel(folder: Path, distribution: str, files: Mapping[str, str], table: str) -> Path:
    """A wheel of these files, with what pip asks of one."""
    stem = f"{distribution.replace('-', '_')}-1.0"
    info = {
        "METADATA": f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n",
        "WHEEL": "Wheel-Version: 1.0\nGenerator: chaos\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "entry_points.txt": table,
    }
    content = {**files, **{f"{stem}.dist-info/{file}": text for file, text in info.items()}}
    record = f"{stem}.dist-info/RECORD"
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for file, text in content.items():
            archive.writestr(file, text)
        archive.writestr(record, "".join(f"{file},,\n" for file in [*content, record]))
    return wheel


def _spoil(packages: Path) -> None:
    """Do what no wheel can: metadata gone, a table that cannot be read, what an interrupted pip leaves behind."""
    (packages / "chaos_lost_its_metadata-1.0.dist-info" / "METADATA").unlink()
    (packages / "chaos_has_a_corrupt_table-1.0.dist-info" / "entry_points.txt").write_bytes(b"[nst.v1]\nx = \xff\n")
    (packages / "chaos_is_unreadable-1.0.dist-info" / "entry_points.txt").unlink()
    (packages / "chaos_is_unreadable-1.0.dist-info" / "entry_points.txt").mkdir()
    shutil.copytree(packages / "chaos_healthy-1.0.dist-info", packages / "~haos_healthy-0.9.dist-info")
