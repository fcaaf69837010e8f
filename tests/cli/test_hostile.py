"""Files made to do harm: what a checkpoint or a picture may make nst do, and what a terminal is shown of them."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from rich.console import Console

from nst import images
from nst.cli import progress, rerun
from nst.errors import UserError
from nst.specs import BackendSpec, WeightSet

pytestmark = pytest.mark.frameworks

PAIR = ["content.png", "style.png", "-o", "out.png"]
ESCAPES = "\x1b]0;title\x07\x1b[2J\x9b31m\u202egnp.\r"


@pytest.fixture
def begun(nst, here, fast):
    """A folder with the checkpoint of a finished run, `run.nst`, and the picture it made."""
    assert nst("stylize", *PAIR, *fast, "--optimizer", "adam", "--checkpoint", "run.nst").code == 0
    return here


def told(change):
    """`out.png` with its own account changed by `change(record)`."""
    record = json.loads(images.read_text("out.png"))
    change(record)
    images.write("out.png", images.load_image("out.png"), text={"nst": json.dumps(record)})


@pytest.mark.parametrize("name", ["elsewhere/out.png", "link/out.png", "../out.png"])
def test_a_checkpoint_does_not_choose_where_its_picture_goes(nst, begun, tmp_path_factory, name, forged):
    """Neither by an absolute path, nor through a link beside it, nor upwards."""
    away = tmp_path_factory.mktemp("away")
    (begun / "link").symlink_to(away)
    target = name.replace("elsewhere", str(away))
    forged(lambda run: run["about"].update(output=target))
    done = nst("resume", "run.nst")
    assert (done.code, done.errors) == (
        2,
        [f"'run.nst' would write '{target}', which is neither in its folder nor in the current one"],
    )
    assert done.hints == [f"to write it there, add -o {target}"]
    assert not [*away.iterdir()]
    assert nst("resume", "run.nst", "-o", away / "out.png").code == 0


def test_a_checkpoint_writes_over_no_picture_but_nsts_own(nst, begun, forged):
    before = Path("content.png").read_bytes()
    images.save_image("mine.png", images.load_image("content.png"))
    forged(lambda run: run["about"].update(output="mine.png"))
    done = nst("resume", "run.nst")
    assert (done.code, done.errors) == (2, ["'run.nst' would write over 'mine.png', which nst did not make"])
    assert Path("mine.png").read_bytes() == before
    forged(lambda run: run["about"].update(output="out.png"))
    assert nst("resume", "run.nst").code == 0


def test_neither_asks_for_a_picture_without_end(nst, begun, forged):
    told(lambda record: record["recipe"].update(sizes=[48, 60_000], steps=[1, 1]))
    done = nst("rerun", "out.png", "-o", "new.png")
    assert (done.code, done.errors) == (2, ["the picture would have 2,700,000,000 pixels"])
    forged(lambda run: run["about"]["record"]["recipe"].update(sizes=[48, 60_000], steps=[3, 1]))
    assert nst("resume", "run.nst").errors == ["the picture would have 2,700,000,000 pixels"]


def test_a_picture_cannot_have_a_program_run_as_weights():
    """A backend of another format than ours may be given a SavedModel, which is one."""
    spec = BackendSpec(
        "fast", "a:b", kind="image", files="pathlib:Path", weights=(WeightSet("own", "a:b", 0, "", "", ""),)
    )
    job = SimpleNamespace(spec=spec, recipe=SimpleNamespace(weights=("own", "auto")))
    rerun._check_data(job)
    job.recipe.weights = ("models/evil",)
    with pytest.raises(UserError, match="the picture names 'models/evil' as weights, which fast would run") as refusal:
        rerun._check_data(job)
    assert refusal.value.hint == "if you trust the file, add --weights models/evil"


def test_weights_that_are_numbers_are_taken_from_a_picture(nst, begun):
    assert nst("rerun", "out.png", "-o", "new.png").code == 0


def test_no_account_of_a_file_is_a_terminals_command(nst, begun, forged):
    told(lambda record: record["versions"].update({ESCAPES: "1", "numpy": ESCAPES}))
    told(lambda record: record["inputs"][0].update(path=ESCAPES + "content.png"))
    told(lambda record: record["recipe"].update(backend=ESCAPES))
    forged(lambda run: run["notes"].append(ESCAPES))
    forged(lambda run: run["about"]["record"]["versions"].update(numpy=ESCAPES))
    for words in (["rerun", "out.png"], ["recipe", "show", "out.png"], ["resume", "run.nst", "-o", "new.png"]):
        done = nst(*words)
        assert not progress.CONTROL.search(done.out + done.err), words


def test_a_live_bar_shows_a_mask_named_like_markup_or_a_command(monkeypatch):
    shown = io.StringIO()
    console = Console(file=shown, force_terminal=True, width=170)
    monkeypatch.setattr(progress, "Console", lambda **_: console)
    job = SimpleNamespace(sizes=(48,), steps=(2,))
    step = SimpleNamespace(notes=(), step=1, steps=2, size=48, loss=1.0, terms={"gram[/b]\x1b[2J": 1.0}, seconds=0.1)
    with progress.Watcher(job, verbose=True) as watcher:
        watcher.show(step)
        watcher.tell(["a note\x1b[2J"])
    assert "gram[/b]\N{REPLACEMENT CHARACTER}[2J 1" in shown.getvalue()
    assert "a note\N{REPLACEMENT CHARACTER}[2J" in shown.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="a name there cannot hold them")
def test_a_picture_whose_name_is_a_command_is_told_harmlessly(nst, here):
    done = nst("stylize", f"{ESCAPES}.png", "style.png", "-o", "out.png")
    assert done.code == 2
    assert not progress.CONTROL.search(done.err)
