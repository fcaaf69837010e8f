"""What the README says is true: its commands run, its examples run, its lists are the code's."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

import pytest

from nst import hookspecs
from nst.images import save_image
from nst.plugins.discovery import EntryPoint, discover
from nst.plugins.host import KINDS, Plugins
from nst.vgg.network import write

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
ARCHITECTURE = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
INDEX = (ROOT / "docs" / "index.md").read_text("utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


COMMANDS = [line.partition("  #")[0].strip() for block in blocks("bash") for line in block.splitlines() if line.strip()]
COMMANDS = [command for command in COMMANDS if not command.startswith("#")]

PLAIN = re.compile(r"(python -m )?nst (?!stylize|batch|compare|explore|report|weights fetch)")
EXPLORING = [
    line.partition("  #")[0].strip()
    for block in blocks("bash", (ROOT / "docs" / "explore.md").read_text("utf-8"))
    for line in block.splitlines()
    if line.strip()
]
EXPLORING += [command for command in COMMANDS if command.startswith(("nst explore", "nst report"))]


@pytest.fixture
def desk(tmp_path, photo, make_network):
    """A folder with the files the README speaks of."""
    for seed, name in enumerate(("content.jpg", "style.jpg", "style2.jpg", "mask.png", "out.png", "quick.png")):
        save_image(tmp_path / name, photo(48, 64, seed=seed))
    write(tmp_path / "vgg19.safetensors", make_network())
    return tmp_path


@pytest.mark.frameworks
@pytest.mark.slow
@pytest.mark.parametrize(
    "command", [command for command in COMMANDS if " stylize " in command and "tfhub" not in command]
)
def test_every_stylize_command_paints_its_picture(desk, command):
    """As written, but with as few steps as can be."""
    words = [sys.executable, "-m", *shlex.split(command), "--steps", "1"]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (desk / words[words.index("-o") + 1]).is_file()


@pytest.mark.frameworks
@pytest.mark.slow
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("nst compare")])
def test_every_compare_command_reports(desk, command):
    """As written, but small; where TensorFlow is not installed the command says what to install."""
    small = [] if "--against" in command else ["--size", "64", "--steps", "2"]
    words = [sys.executable, "-m", *shlex.split(command), *small]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True)
    if "keras" in command and not find_spec("tensorflow"):
        assert "pip install nst-keras" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    assert (desk / words[words.index("-o") + 1] / "index.html").is_file()


@pytest.mark.frameworks
@pytest.mark.slow
@pytest.mark.parametrize("command", EXPLORING)
def test_every_command_about_exploring_does_what_it_says(desk, command):
    """As written, but small; where FFmpeg is not installed the command says what to install."""
    words = shlex.split(command)
    report = {"history": [], "recipe": {}, "stopped": "finished", "seconds": 1, "sizes": [64], "steps": [0]}
    (desk / "run.json").write_text(json.dumps(report))
    small = ["--size", "48", "--steps", "1", "--weights", "vgg19.safetensors"]
    words += small if words[1] in ("explore", "stylize") and "--list" not in words else []
    done = subprocess.run([sys.executable, "-m", *words], cwd=desk, capture_output=True, text=True)
    if ".mp4" in command and not find_spec("imageio_ffmpeg"):
        assert "pip install 'nst[video]'" in done.stderr
        return
    assert done.returncode == 0, done.stderr
    files = [word for option, word in pairwise(words) if option in ("-o", "--timelapse", "--report")]
    assert all((desk / file).exists() for file in files)


@pytest.mark.frameworks
@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("nst batch")])
def test_every_batch_command_paints_its_folder(desk, command):
    """As written, but with as few steps as can be."""
    small = ["--levels", "1", "--steps", "1", "--weights", "vgg19.safetensors"]
    done = subprocess.run(
        [sys.executable, "-m", *shlex.split(command), *small], cwd=desk, capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (desk / "folder" / "content--style.png").is_file()


@pytest.mark.frameworks
@pytest.mark.weights
@pytest.mark.parametrize("command", [command for command in COMMANDS if "tfhub-fast" in command])
def test_every_one_pass_command_paints_its_picture(desk, data, command):
    (desk / "magenta").symlink_to(data / "magenta")
    done = subprocess.run([sys.executable, "-m", *shlex.split(command)], cwd=desk, capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert (desk / "fast.png").is_file()


@pytest.mark.frameworks
@pytest.mark.parametrize("command", [command for command in COMMANDS if PLAIN.match(command)])
def test_every_other_command_answers(desk, command):
    words = [sys.executable, "-m", *shlex.split(command.removeprefix("python -m "))]
    done = subprocess.run(words, cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.frameworks
def test_the_fetch_command_asks_for_what_it_says(monkeypatch, tmp_path, capfd):
    """With nobody at the address, the error says how to bring the file by hand."""
    from nst.cli.app import run
    from nst_torch.imagenet import HubWeights

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(HubWeights, "url", lambda self, enum: f"http://127.0.0.1:9/{self.file}")
    (command,) = (command for command in COMMANDS if command.startswith("nst weights fetch"))
    assert run(shlex.split(command)[1:]) == 1
    error = capfd.readouterr().err
    assert "vgg19-dcbb9e9d.pth" in error
    assert "--weights" in error


@pytest.mark.frameworks
@pytest.mark.slow
def test_the_page_on_going_on_says_what_works(desk):
    """Its commands and its example, one after the other, small: each finds what the ones before have left."""
    text = (ROOT / "docs" / "resume.md").read_text("utf-8")
    lines = [line for block in blocks("bash", text) for line in block.splitlines()]
    assert len(lines) > 8
    for line in lines:
        small = ["--size", "48", "--steps", "2"] if re.match("nst (stylize|rerun)", line) else []
        words = [sys.executable, "-m", *shlex.split(line), *small]
        done = subprocess.run(words, cwd=desk, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
    assert (desk / "out-again.png").read_bytes() == (desk / "out.png").read_bytes()
    assert (desk / "elsewhere.png").read_bytes() == (desk / "out.png").read_bytes()
    assert tomllib.loads((desk / "mine.toml").read_text())["size"] == 48
    (example,) = blocks("python", text)
    quick = example.replace("size=256", "size=48, steps=2")
    done = subprocess.run([sys.executable, "-c", quick], cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("command", [command for command in COMMANDS if command.startswith("make ")])
def test_every_make_command_has_its_target(command):
    done = subprocess.run([*command.split(), "--dry-run"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_every_command_is_tested():
    kinds = ("nst ", "python -m nst ", "make ")
    assert [command for command in COMMANDS if not command.startswith(kinds)] == []
    assert len(COMMANDS) > 15


@pytest.mark.frameworks
def test_the_python_example_runs(desk):
    (example,) = (block for block in blocks("python") if "stylize(" in block)
    quick = example.replace("size=256", "size=48, steps=2")
    done = subprocess.run([sys.executable, "-c", quick], cwd=desk, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert (desk / "out.png").is_file()


def test_the_plugin_example_is_a_plugin(tmp_path, monkeypatch):
    """The README's module and table, installed as it says, offer what it says."""
    (module,) = (block for block in blocks("python") if "hookimpl" in block)
    (table,) = blocks("toml")
    (tmp_path / "my_package.py").write_text(module)
    info = tmp_path / "my_plugin-1.0.dist-info"
    info.mkdir()
    ((group, entries),) = tomllib.loads(table)["project"]["entry-points"].items()
    (info / "entry_points.txt").write_text(f"[{group}]\n" + "\n".join(f"{k} = {v}" for k, v in entries.items()))
    (info / "METADATA").write_text("Name: my-plugin\nVersion: 1.0\n")
    monkeypatch.syspath_prepend(tmp_path)

    host = Plugins(discover([str(tmp_path)]))
    assert [(plugin.distribution, plugin.status) for plugin in host.installed] == [("my-plugin", "ok")]
    assert host.find("optimizer", "mine").factory == "my_package.mine:run"


def test_the_readme_lists_what_our_plugins_offer():
    folders = [ROOT, *(path.parent for path in ROOT.glob("plugins/*/pyproject.toml"))]
    tables = [tomllib.loads((folder / "pyproject.toml").read_text())["project"] for folder in folders]
    points = [(table["name"], *table["entry-points"]["nst.v1"].popitem()) for table in tables]
    plugins = Plugins([EntryPoint("nst.v1", name, module, owner, "0") for owner, name, module in points], strict=True)
    assert len(plugins.installed) == 9
    for kind in KINDS:
        for plugin, spec in plugins.offered(kind):
            row = next(line for line in README.splitlines() if line.startswith(f"| `{plugin.distribution}` |"))
            assert f"`{spec.name}`" in row


def test_the_overview_lists_every_command():
    from nst.cli.app import app, groups
    from nst.cli.commands import COMMANDS as OVERVIEW

    own = {command.name for command in app.registered_commands}
    grouped = {f"{name} {command.name}" for name, group in groups.items() for command in group.registered_commands}
    assert own | grouped == set(OVERVIEW)


def test_the_architecture_names_what_is_there():
    (tree,) = blocks("", ARCHITECTURE)
    named = set(re.findall(r"[\w]+/?", tree))
    entries = [path for path in (ROOT / "nst").iterdir() if not path.name.startswith("__")]
    modules = {path.stem for path in entries if path.suffix == ".py"}
    packages = {f"{path.name}/" for path in entries if path.is_dir()}
    assert len(packages) > 15
    assert modules | packages <= named
    assert set(re.findall(r"^  (\w+/)", tree, flags=re.MULTILINE)) == packages


def test_the_architecture_names_every_hook():
    hooks = [name for name in vars(hookspecs) if name.startswith("nst_")]
    assert [hook for hook in hooks if f"`{hook}`" not in ARCHITECTURE] == []


def test_the_first_steps_on_the_site_are_the_readme_s():
    """But for what needs no checkout: pip in place of make."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for command in (line for block in blocks("bash", INDEX) for line in block.splitlines()):
        if install := re.fullmatch(r"pip install 'nst\[(.*)\]'", command):
            assert set(install[1].split(",")) <= set(extras)
        else:
            assert command in COMMANDS or f"$(BIN)/{command}\n" in (ROOT / "Makefile").read_text()


def test_links_in_the_documents_lead_somewhere():
    for name in (
        "README.md",
        "ARCHITECTURE.md",
        "docs/explore.md",
        "docs/resume.md",
        "docs/batch.md",
        "docs/cluster.md",
    ):
        for link in re.findall(r"\]\(([^)#]+)[^)]*\)", (ROOT / name).read_text("utf-8")):
            assert "://" in link or ((ROOT / name).parent / link).exists(), link
