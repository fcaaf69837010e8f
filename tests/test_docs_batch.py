"""The pages on folders and clusters are true: their commands run, one after the other, on the files they show."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from nst.images import save_image

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "batch.md").read_text("utf-8")
FENCED = re.compile(r'^```(\w+)(?: title="(.*?)")?\n(.*?)^```$', re.DOTALL | re.MULTILINE)
SMALL = ["--backend", "example-image-backend", "--size", "24"]


@pytest.fixture(scope="module")
def desk(tmp_path_factory, photo):
    folder = tmp_path_factory.mktemp("desk")
    for seed, name in enumerate(("photos/cat.jpg", "photos/dog.jpg", "paintings/waves.jpg", "paintings/stars.jpg")):
        (folder / name).parent.mkdir(exist_ok=True)
        save_image(folder / name, photo(18, 24, seed=seed))
    save_image(folder / "mask.png", photo(18, 24, seed=9))
    for _, title, body in FENCED.findall(PAGE):
        if title:
            (folder / title).write_text(body, "utf-8")
    return folder


COMMANDS = [line for language, _, body in FENCED.findall(PAGE) if language == "bash" for line in body.splitlines()]


def in_one_pass(words: list[str]) -> list[str]:
    """The command as it is, but for what would take a framework."""
    if "--preset" in words:
        at = words.index("--preset")
        words = words[:at] + words[at + 2 :]
    return [*words, *SMALL]


@pytest.mark.frameworks
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_paints_its_folder(desk, command):
    fields = (desk / "pairs.csv", desk / "pairs.toml")
    for file in fields:  # what means nothing to a network that paints in one pass
        text = file.read_text("utf-8").replace("content_weight = 5", "size = 24")
        text = text.replace("content_weight = 3, ", "").replace("content_weight", "size").replace("png,3", "png,16")
        file.write_text(text, "utf-8")
    words = in_one_pass(shlex.split(command))
    if "masked" in words:
        (desk / "pairs.toml").write_text(fields[1].read_text().replace('protect = "mask.png"\n', ""))
    done = subprocess.run([sys.executable, "-m", *words], cwd=desk, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    folder = desk / words[words.index("-o") + 1]
    assert len([*folder.rglob("*.png")]) in (2, 4)
    assert (folder / "index.html").is_file()


@pytest.mark.frameworks
def test_the_python_example_runs(desk):
    (example,) = (body for language, _, body in FENCED.findall(PAGE) if language == "python")
    small = 'recipe=nst.Recipe(backend="example-image-backend", size=24)'
    quick = example.replace('"python")', f'"python", {small})')
    done = subprocess.run([sys.executable, "-c", quick], cwd=desk, capture_output=True, text=True)
    assert done.stdout.splitlines()[0] == "cat--stars.png finished "
    assert done.returncode == 0, done.stderr


def test_the_lists_shown_are_whole(desk):
    from nst.batches.manifest import read_csv, read_toml

    files = {title: body for _, title, body in FENCED.findall(PAGE) if title}
    for name, body in files.items():
        (desk / f"shown-{name}").write_text(body, "utf-8")
    rows = [*read_csv(desk / "shown-pairs.csv"), *read_toml(desk / "shown-pairs.toml")[1]]
    assert [row.error for row in rows] == [None] * 4
    assert rows[3].protect == str(desk / "mask.png")
    assert rows[3].recipe == {"content_weight": 3.0, "style_blend": (2.0, 1.0)}
