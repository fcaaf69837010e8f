"""Test the service: one run at a time, in a process of its own, with results for one page only."""

from __future__ import annotations

import os
import signal
from dataclasses import replace

import pytest

from nst.errors import Mistakes, UserError
from nst.images import load_image
from nst.orders import Preview
from nst.persistence import provenance
from nst.recipe.recipe import Recipe
from nst.ui import compare_command
from nst.ui.service import PaintRequest

from .conftest import SMALL, over, wait_until

pytestmark = pytest.mark.frameworks

LONG = {**SMALL, "steps": "4000"}


@pytest.fixture
def visitor(host):
    return host.visitors.enter("a")


def begun(run):
    """Wait until a run has taken some steps, and return the run."""
    assert wait_until(lambda: run.progress and run.progress.step > 2), run.failed
    return run


def test_a_wish_becomes_a_picture_that_says_how_it_was_made(host, visitor, wish):
    run = over(host.start(visitor, wish))
    picture = host.finish(visitor, run)
    assert picture.path.name == "cat-sea-painted.png"
    assert load_image(picture.path).shape == load_image(picture.content).shape == (24, 32, 3)
    assert provenance.read(picture.path).recipe == picture.recipe
    assert picture.recipe.steps == (4,)
    assert "--steps 4, " in picture.words
    assert visitor.pictures == [picture]
    assert [row["step"] for row in run.history] == [1, 2, 3, 4]


def test_the_picture_is_shown_as_it_forms(host, visitor, wish, monkeypatch):
    monkeypatch.setattr("nst.ui.service.PREVIEW_EVERY", 0.05)
    run = begun(host.start(visitor, replace(wish, values=LONG)))
    assert wait_until(lambda: run.preview)
    assert run.preview.jpeg.startswith(b"\xff\xd8")
    host.stop(visitor)
    over(run)


def test_cancel_keeps_the_best_so_far_and_continue_goes_on_from_it(host, visitor, wish):
    run = begun(host.start(visitor, replace(wish, values={**SMALL, "steps": "60"})))
    host.stop(visitor)
    assert over(run).done.stopped == "interrupted"
    first = host.finish(visitor, run)
    taken = len(run.history)
    assert 2 < taken < 60
    more = over(host.resume(visitor))
    assert more.done.stopped == "finished"
    assert [row["step"] for row in more.history] == list(range(1, 61))
    assert host.finish(visitor, more).path == first.path
    assert len(visitor.pictures) == 1


def test_there_is_nothing_to_go_on_with_before_or_after(host, visitor, wish):
    with pytest.raises(UserError, match="no stopped picture to continue"):
        host.resume(visitor)
    over(host.start(visitor, wish))
    with pytest.raises(UserError, match="no stopped picture to continue"):
        host.resume(visitor)


def test_two_pages_take_turns_and_see_only_their_own(host, wish):
    here, there = host.visitors.enter("a"), host.visitors.enter("b")
    first = begun(host.start(here, replace(wish, values=LONG)))
    second = host.start(there, wish)
    assert (second.state, second.ticket.place) == ("waiting", 1)
    host.stop(here)
    assert over(second).done.stopped == "finished"
    host.finish(here, over(first)), host.finish(there, second)
    assert [each.path.parent for each in here.pictures] == [here.folder]
    assert [each.path.parent for each in there.pictures] == [there.folder]


def test_one_page_paints_one_picture_at_a_time(host, visitor, wish):
    run = host.start(visitor, replace(wish, values=LONG))
    with pytest.raises(UserError, match="already painting"):
        host.start(visitor, wish)
    host.stop(visitor)
    over(run)


def test_what_waits_can_be_cancelled_before_it_begins(host, wish):
    first = begun(host.start(host.visitors.enter("a"), replace(wish, values=LONG)))
    there = host.visitors.enter("b")
    second = host.start(there, wish)
    host.stop(there)
    assert over(second).failed.message == "the run was stopped before it started"
    host.stop(host.visitors.enter("a"))
    assert over(first).done.stopped == "interrupted"


def test_a_closed_page_frees_the_device_and_leaves_nothing(host, wish):
    here, there = host.visitors.enter("a"), host.visitors.enter("b")
    run = begun(host.start(here, replace(wish, values=LONG)))
    host.visitors.leave("a")
    over(run)
    assert wait_until(lambda: not here.folder.exists())
    assert host.finish(here, run) is None
    assert over(host.start(there, wish)).done.stopped == "finished"


def test_the_last_to_leave_leaves_the_memory_too(host, visitor, wish, monkeypatch):
    monkeypatch.setattr("nst.ui.service.WARM", 0.05)
    over(host.start(visitor, wish))
    process = host.workers._workers["cpu"]._process
    host.visitors.leave("a")
    assert wait_until(lambda: process.poll() is not None)


def test_a_process_that_dies_takes_nothing_with_it(host, visitor, wish):
    run = begun(host.start(visitor, replace(wish, values=LONG)))
    os.kill(host.workers._workers["cpu"].pid, signal.SIGKILL)
    assert "killed" in over(run).failed.message
    assert over(host.start(visitor, wish)).done.stopped == "finished"


def test_the_brush_and_its_styles_reach_the_painter(host, visitor, wish, uploaded):
    import numpy as np

    mask = np.zeros((36, 48), np.float32)
    mask[:, :16] = 1
    run = over(host.start(visitor, replace(wish, brush="only", mask=mask)))
    pixels = load_image(run.output)
    content = load_image(host.finish(visitor, run).content)
    assert abs(pixels[:, 16:] - content[:, 16:]).max() < 0.1
    assert [each.role for each in provenance.read(run.output).inputs] == ["content", "mask", "style"]


def test_every_mistake_is_told_before_anything_is_computed(host, visitor, wish):
    with pytest.raises(Mistakes) as found:
        host.start(visitor, replace(wish, values={**SMALL, "style_layers": "relu9_9=1", "content_layers": "relu8_1=1"}))
    assert len(found.value.errors) == 2
    assert visitor.run is None


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"content": None}, "there is no content"),
        ({"styles": []}, "there is no style"),
        ({"styles": ["x"] * 500}, "500 styles at once"),
        ({"values": {**SMALL, "size": 2000}}, "the picture would have 3,000,000 pixels"),
        ({"values": {**SMALL, "weights": "/etc/passwd"}}, "unknown weights"),
        ({"brush": "keep"}, "needs a marked part"),
    ],
)
def test_what_cannot_be_is_refused(host, visitor, wish, change, says):
    with pytest.raises(UserError, match=says):
        host.start(visitor, replace(wish, **change))
    assert not visitor.busy


def test_a_file_that_was_not_uploaded_is_refused(host, visitor, wish, outside):
    with pytest.raises(UserError, match="has not been uploaded"):
        host.start(visitor, PaintRequest(str(outside), wish.styles, SMALL))


def test_the_recipe_of_a_finished_picture_fills_the_form(host, visitor, wish, form):
    picture = host.finish(visitor, over(host.start(visitor, wish)))
    there = host.visitors.cache / "there"
    there.mkdir()
    copy = there / "found.png"
    copy.write_bytes(picture.path.read_bytes())
    recipe, missing = host.recipe_of(str(copy))
    assert (recipe, missing) == (picture.recipe, "")
    assert form.recipe(form.values(recipe)) == picture.recipe


def test_a_picture_without_a_recipe_says_so_without_its_folder(host, uploaded):
    with pytest.raises(UserError, match=r"^plain.png contains no provenance record"):
        host.recipe_of(uploaded("plain.png"))
    with pytest.raises(UserError, match="has not been uploaded"):
        host.recipe_of("/etc/passwd")


def test_a_recipe_that_names_files_cannot_make_the_page_read_them(host, form, photo):
    recipe = Recipe(weights="/etc/passwd", init="/etc/shadow")
    assert "unknown weights" in form.unshown(recipe)


def test_the_preview_is_an_event_that_costs_no_step(host, visitor, wish):
    run = over(host.start(visitor, wish))
    run.take(Preview(4, 32, b"\xff\xd8"))
    assert len(run.history) == 4


def compared(host, visitor, wish, *backends: str):
    """Start a comparison, and return its state."""

    def make_order(content, styles, recipe):
        return compare_command.comparison_order(content, styles, backends, recipe, visitor.folder, 10**6)

    return host.run_command(visitor, wish, make_order)


def test_a_comparison_runs_in_workers_and_writes_its_report(host, visitor, wish):
    command = compared(host, visitor, wish, "example-backend", "example-image-backend")
    assert [*host.waiting(visitor)][-1:] in ([], [0])
    assert over(command).done, command.failed
    assert "2 pictures compared." in compare_command.report_frame(visitor.folder)


def test_a_comparison_that_cannot_be_says_why(host, visitor, wish):
    command = over(compared(host, visitor, wish, "example-backend", "exampel-backend"))
    assert command.failed.message == "unknown backend 'exampel-backend'"
    assert "example-backend" in command.failed.hint


def test_a_stopped_comparison_shows_its_finished_pictures(host, visitor, wish):
    long = replace(wish, values={**LONG, "steps": "100000"})
    command = compared(host, visitor, long, "example-image-backend", "example-backend")
    assert wait_until(lambda: [*visitor.folder.glob("report/cells/example-backend-*/adam.npz")])
    host.stop_command(visitor)
    assert over(command).done.stopped == "interrupted"
    assert "1 of 2 finished." in compare_command.report_frame(visitor.folder)
