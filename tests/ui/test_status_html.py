"""Test the HTML of a run: status, preview, curves and errors."""

from __future__ import annotations

from html.parser import HTMLParser

import numpy as np
import pytest

from nst.errors import Mistakes, UserError
from nst.images import save_image
from nst.orders import Done, Failed, Order, Preview, Step
from nst.ui import before_after, compare_command, status_html
from nst.ui.device_queue import JobQueue
from nst.ui.run_state import RunState


class Tags(HTMLParser):
    """The tags of an HTML text, each with its attributes."""

    def __init__(self, text):
        super().__init__()
        self.found, self.words = [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.words += data

    def of(self, tag):
        return [attributes for name, attributes in self.found if name == tag]


@pytest.fixture
def run():
    run = RunState(Order())
    for step in (1, 2, 3):
        run.take(Step(step, 10, 64, 4.0 / step, {"gram relu1_1": 3.0 / step, "content relu4_2": 1.0}, 0.1, 65.4))
    return run


def test_a_run_at_work_shows_its_picture_its_steps_and_its_curves(run):
    run.take(Preview(3, 64, b"\xff\xd8jpeg"))
    tags = Tags(status_html.preview_image(run) + status_html.run_status(run))
    (picture,), (bar,) = tags.of("img"), tags.of("progress")
    assert picture["alt"] == "the picture after step 3"
    assert picture["src"].startswith("data:image/jpeg;base64,")
    assert (bar["value"], bar["max"], bar["aria-label"]) == ("3", "10", "steps")
    assert len(tags.of("polyline")) == 3
    assert "step 3 of 10 at 64 px, 0:01:05 left" in tags.words


def test_the_status_is_announced_and_changes_seldom(run):
    (status,) = [each for each in Tags(status_html.run_status(run)).of("p") if each.get("role")]
    assert status["role"] == "status"
    assert status_html.status(run) == "Painting"
    run.stopping = True
    assert status_html.status(run) == "Stopping with the best picture so far"


@pytest.mark.parametrize(
    ("event", "says"),
    [
        (Done("out.png", "finished"), "Done"),
        (Done("out.png", "interrupted"), "Stopped, with the best picture so far"),
        (Done("out.png", "diverged"), "Stopped at the last step with a finite loss"),
        (Failed("no memory"), "Failed"),
    ],
)
def test_the_end_is_told_in_words(run, event, says):
    run.take(event)
    assert status_html.status(run) == says
    assert status_html.preview_image(run) == ""
    assert "left" not in Tags(status_html.run_status(run)).words


def test_who_waits_is_told_how_many_are_before():
    desk, run = JobQueue(), RunState(Order())
    import threading

    gate, begun = threading.Event(), threading.Event()
    desk.submit("cpu", lambda: (begun.set(), gate.wait(30)))
    begun.wait(30)
    run.ticket = desk.submit("cpu", lambda: None)
    assert status_html.status(run) == "Waiting: 1 before this one"
    gate.set()


def test_what_a_file_is_called_cannot_become_part_of_the_page(run):
    run.take(Failed("<script>alert(1)</script>", "<img src=x onerror=alert(1)>"))
    tags = Tags(status_html.run_status(run))
    assert tags.of("script") == tags.of("img") == []
    assert "<script>alert(1)</script>" in tags.words


def test_every_mistake_is_an_item_of_an_alert():
    tags = Tags(status_html.error_html(Mistakes([UserError("one", "do this"), UserError("two")])))
    assert [each.get("role") for each in tags.of("div")] == ["alert"]
    assert len(tags.of("li")) == 2


def test_the_slider_holds_both_pictures_and_can_be_moved_by_keys(tmp_path, photo):
    before, after = save_image(tmp_path / "a.png", photo(24, 32)), save_image(tmp_path / "b.png", photo(48, 64, seed=1))
    tags = Tags(before_after.html(before, after))
    assert [each["alt"] for each in tags.of("img")] == ["before", "after"]
    assert all(each["src"].startswith("data:image/jpeg;base64,") for each in tags.of("img"))
    (edge,) = tags.of("input")
    assert (edge["type"], edge["aria-label"]) == ("range", "Before and after")
    assert "64 / 48" in tags.of("figure")[0]["style"]


def test_a_large_picture_is_shown_smaller(tmp_path):
    path = save_image(tmp_path / "a.png", np.zeros((20, 2048, 3), np.float32))
    assert "1024 / 10" in before_after.html(path, path)


def test_a_report_is_shown_in_a_frame_that_nothing_gets_out_of(tmp_path):
    assert compare_command.report_frame(tmp_path) == ""
    (tmp_path / "report").mkdir()
    (tmp_path / "report" / "index.html").write_text('<p id="a">"both"</p>')
    (frame,) = Tags(compare_command.report_frame(tmp_path)).of("iframe")
    assert frame["srcdoc"] == '<p id="a">"both"</p>'
    assert frame["sandbox"] == "allow-scripts"
    assert frame["title"]


def test_one_backend_alone_is_nothing_to_compare(tmp_path):
    from nst.recipe.recipe import Recipe

    with pytest.raises(UserError, match="two or more backends"):
        compare_command.comparison_order("a.png", ["b.png"], ["torch-vgg19"], Recipe(), tmp_path, 10**6)
