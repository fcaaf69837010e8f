"""What the page on recipes says is true: its recipes can run, its commands paint, and it speaks of every field."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest

from nst.images import save_image
from nst.images.color_transfer import MODES
from nst.job.inputs import Sources
from nst.job.job import Job
from nst.plugins.host import Plugins
from nst.recipe import schedule
from nst.recipe.fields import losses
from nst.recipe.recipe import FIELDS, Recipe, preset
from nst.vgg.architecture import layer
from nst.weights import selection

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "recipes.md").read_text("utf-8")
RECIPES = dict(re.findall(r'^```toml title="(.*?)"\n(.*?)^```$', PAGE, re.DOTALL | re.MULTILINE))
COMMANDS = [line for block in re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


@pytest.fixture
def everybody(plugins, monkeypatch) -> Plugins:
    """Our own plugins and nst-tfhub; every weight set is on disk, which it need not be for a recipe to be right."""
    from nst.plugins.discovery import EntryPoint

    monkeypatch.setattr(selection, "_on_disk", lambda spec, chosen: selection.COMPACT)
    entries = [each.entry for each in plugins.installed]
    return Plugins([*entries, EntryPoint("nst.v1", "tfhub", "nst_tfhub", "nst-tfhub", "0")], strict=True)


@pytest.mark.parametrize("name", RECIPES)
def test_every_recipe_can_run(everybody, photo, name):
    given = tomllib.loads(RECIPES[name])
    if given.get("backend") == "tfhub-fast" and not find_spec("ai_edge_litert"):
        pytest.skip("nst-tfhub is not installed")
    job = Job(Sources(photo(48, 64), [photo(64, 64, seed=1)]), Recipe(**given), everybody, chosen=given)
    assert len(job.sizes) == len(job.steps) >= 1


def test_every_block_of_toml_is_tried():
    assert len(RECIPES) == PAGE.count("```toml")


@pytest.fixture
def desk(tmp_path, photo):
    """A folder with the files the page speaks of."""
    for seed, name in enumerate(("content.jpg", "style.jpg", "style2.jpg", "sky.png", "face.png")):
        save_image(tmp_path / name, photo(48, 64, seed=seed))
    for name, text in RECIPES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.frameworks
@pytest.mark.slow
@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_paints_its_picture(desk, command):
    """As written, but small and with as few steps as can be."""
    words = [sys.executable, "-m", *shlex.split(command), "--steps", "1", "--size", "48", "--weights", "compact"]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (desk / words[words.index("-o") + 1]).is_file()


def test_the_page_speaks_of_every_field_and_of_no_other():
    assert [name for name in FIELDS if not re.search(rf"`{name}`|`{name} =|^{name} =", PAGE, re.MULTILINE)] == []
    given = {name for text in RECIPES.values() for name in tomllib.loads(text)}
    assert given <= FIELDS.keys()


def test_the_page_says_when_to_use_every_loss_of_style_or_content(plugins):
    offered = {spec.name for _, spec in plugins.offered("loss") if spec.role in ("style", "content")}
    (table,) = re.findall(r"\| when \| use \|\n(.*?)\n\n", PAGE, re.DOTALL)
    assert set(re.findall(r"`([a-z-]+)`", table)) == offered


def test_the_page_names_every_way_with_colors():
    (row,) = (line for line in PAGE.splitlines() if line.startswith("| has the wrong colors"))
    assert {*re.findall(r'`"([a-z-]+)"`', row), "style"} == set(MODES)


def test_the_loss_in_a_text_is_the_one_in_a_table():
    """As several.toml and the command below it have them."""
    (text, *_) = tomllib.loads(RECIPES["several.toml"])["losses"]
    assert f"--loss {text} " in PAGE
    table = {"name": "histogram", "weight": 50, "layers": {"relu4_1": 1.0, "relu1_1": 0.5}}
    assert losses(text) == losses(table)


def test_the_weights_are_shared_out_as_the_page_says():
    recipe = Recipe(**tomllib.loads(RECIPES["frugal.toml"]))
    sizes, _ = schedule.plan_sizes(recipe, 48, 64, map(layer, recipe.layers()))
    *before, last = schedule.per_size(recipe.weights, len(sizes))
    assert (set(before), last) == ({"compact"}, "imagenet")


def test_the_figures_on_the_page_are_the_code_s():
    usual = Recipe()
    for told in (
        f"`content_weight` and `style_weight` ({usual.content_weight:g} and {usual.style_weight:g})",
        f"{schedule.COARSEST} pixels and gets {schedule.DEFAULT_STEPS[0]} steps there",
        f"one size, {preset('gatys')['steps'][0]} steps of L-BFGS from {preset('gatys')['init']}",
    ):
        assert told in " ".join(PAGE.split())
