"""As a stranger has it: nst from its wheel, and a plugin of each kind made, built, installed, tested and used.

It all happens in one virtual environment with nothing of the checkout in it; what is not nst's comes from the package
registry that pip is configured for.
"""

from __future__ import annotations

import json
import shlex
from pathlib import Path
from zipfile import ZipFile

import pytest

from nst.plugins.scaffold import KINDS

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
SMALL = ["--size", "32", "--levels", "1", "--steps", "2"]
OTHERS = {
    "--backend": "example-backend --style-layers relu1_1,relu2_1,relu3_1 --content-layers relu3_1",
    "--optimizer": "example-optimizer",
    "--init": "example-initializer",
}
"""What a picture needs beside a new plugin, from nst-example: no framework."""


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
    picture = stranger.home / ("out/content--style.png" if kind == "executor" else "out.png")
    assert picture.is_file()
    picture.unlink()
