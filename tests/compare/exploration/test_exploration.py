"""`nst explore` from end to end: every combination painted once, with one network, and shown together."""

from __future__ import annotations

import json
from html import escape
from pathlib import Path

import numpy as np
import pytest

from nst import Recipe, load_image, save_image, stylize
from nst.compare import study
from nst.compare.exploration import MARK, Exploration, ExplorationRequest
from nst.compare.papers import find
from nst.errors import Mistakes, UserError
from nst.recipe.recipe import preset

from .conftest import FAST, PAIR

pytestmark = pytest.mark.frameworks

GRID = ("--vary", "content-layers=relu2_1;relu3_1,relu4_1=2", "--vary", "style-weight=10,1000")


@pytest.fixture(scope="module")
def grid(explore):
    return explore(*PAIR, *FAST, *GRID, "--backends", "moody", output="grid")


def test_every_combination_is_a_picture(grid):
    assert grid.code == 0, grid.err
    names = [column["name"] for column in grid.report["columns"]]
    assert names == [
        "moody, content-layers=relu2_1, style-weight=10",
        "moody, content-layers=relu2_1, style-weight=1000",
        "moody, content-layers=relu3_1,relu4_1=2, style-weight=10",
        "moody, content-layers=relu3_1,relu4_1=2, style-weight=1000",
    ]
    assert grid.out == "4 pictures painted. Saved grid/sheet.png and grid/index.html\n"
    pictures = [load_image(grid.folder / column["picture"]) for column in grid.report["columns"]]
    assert len({picture.tobytes() for picture in pictures}) == 4


def test_one_network_paints_them_all(grid):
    assert grid.built == 1


def test_a_picture_is_the_one_that_stylize_makes(grid, desk):
    """The first as well as the last that the network has painted."""
    for column in (grid.report["columns"][0], grid.report["columns"][-1]):
        recipe = Recipe(**column["recipe"]).override(backend="torch-vgg19", weights=str(desk / "small.safetensors"))
        alone = stylize(str(desk / "content.png"), str(desk / "style.png"), recipe).pixels
        painted = np.rint(load_image(grid.folder / column["picture"]) * 255)
        np.testing.assert_array_equal(painted, np.rint(alone * 255))


def test_the_sheet_and_the_page_show_rows_of_the_last_field(grid):
    sheet = load_image(grid.folder / "sheet.png")
    assert sheet.shape[1] == 2 * (320 + 16) + 16
    page = (grid.folder / "index.html").read_text("utf-8")
    assert MARK in page
    assert page.count("<img src=") == 6
    assert "--across: 2" in page


def test_a_second_run_paints_only_what_is_new(explore, grid):
    before = grid.times
    words = [word.replace("10,1000", "10,1000,50") for word in GRID]
    again = explore(*PAIR, *FAST, *words, "--backends", "moody", output="grid")
    assert again.code == 0, again.err
    assert again.err.count("kept from an earlier run") == 4
    assert before.items() <= again.times.items()
    assert len(list(again.folder.glob("cells/*"))) == 6
    fresh = explore(*PAIR, *FAST, *GRID, "--backends", "moody", "--fresh", "--quiet", output="grid")
    assert (fresh.out, fresh.err) == ("", "")
    assert not before.items() & fresh.times.items()


def test_a_cell_that_fails_says_why_and_stops_nobody(explore):
    words = ("--vary", "content-layers=relu1_2;relu2_1", "--backends", "moody")
    done = explore(*PAIR, *FAST, *words, output="failing")
    assert done.code == 1
    failed, painted = done.report["columns"]
    (reason,) = failed["failures"].values()
    assert reason.startswith("nst-moody 1.0 raised RuntimeError: not in the mood for relu1_2")
    assert painted["status"] == "finished"
    assert "RuntimeError: not in the mood for relu1_2" in done.out
    assert "not in the mood for relu1_2" in (done.folder / "index.html").read_text("utf-8")


def test_a_worker_that_dies_is_followed_by_another_for_the_rest(explore):
    words = ("--vary", "pooling=average,max", "--vary", "seed=1,2", "--backends", "moody")
    done = explore(*PAIR, *FAST, *words, "--init", "noise", output="dying")
    assert done.code == 1
    assert [column["status"] for column in done.report["columns"]] == ["failed", "failed", "finished", "finished"]
    for column in done.report["columns"][:2]:
        assert "signal 9" in next(iter(column["failures"].values()))
    assert done.built == 3


def test_a_paper_s_figure_is_one_command(explore):
    done = explore(*PAIR, *FAST, "--paper", "init", output="paper")
    assert done.code == 0, done.err
    assert [panel["count"] for panel in done.report["panels"]] == [2, 4]
    recipes = [column["recipe"] for column in done.report["columns"]]
    assert [recipe["init"] for recipe in recipes] == ["content", "style", *["noise"] * 4]
    assert {recipe["pooling"] for recipe in recipes} == {"average"}, "the paper's preset"
    page = (done.folder / "index.html").read_text("utf-8")
    for panel in find("init").panels:
        assert escape(panel.title) in page
        assert escape(panel.note) in page
    assert all(escape(departure) in page for departure in find("init").departures)


@pytest.fixture
def ask(plugins, desk, tmp_path):
    def make(**changes):
        pictures = [str(desk / name) for name in PAIR]
        recipe = Recipe(**preset("gatys")).override(size=64, weights="compact")
        values = {"pictures": pictures, "output": tmp_path / "out", "recipe": recipe, **changes}
        return Exploration(ExplorationRequest(**values), plugins)

    return make


@pytest.mark.parametrize(
    ("paper", "counts"),
    [("fig1", [5, 5]), ("layers", [20]), ("alpha-beta", [4]), ("content-layer", [2]), ("init", [2, 4])],
)
def test_every_paper_can_be_painted(ask, paper, counts):
    assert [len(panel) for panel in ask(paper=find(paper)).cells] == counts


def test_reconstructions_have_one_term_and_begin_from_noise(ask):
    content, style = ask(paper=find("fig1")).cells
    assert {(cell.recipe.style_weight, cell.recipe.init) for cell in content} == {(0, "noise")}
    assert [[*cell.recipe.content_layers] for cell in content] == [[f"relu{i}_2"] for i in range(1, 6)]
    assert {(cell.recipe.content_weight, cell.recipe.init) for cell in style} == {(0, "noise")}
    assert [len(cell.recipe.style_layers) for cell in style] == [1, 2, 3, 4, 5]


def test_a_paper_and_a_choice_of_one_s_own_are_combined(ask):
    (cells,) = ask(paper=find("alpha-beta"), vary=["pooling=max,average"]).cells
    assert len(cells) == 8
    assert cells[0].name == "pooling=max, content-weight=1"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({}, "nothing to explore"),
        ({"pictures": ["content.png"], "vary": ["seed=1,2"]}, "give a content and a style"),
        ({"vary": ["seed=1,2"], "chosen": ["seed"]}, "--seed is both set and varied"),
        ({"paper": find("fig1"), "chosen": ["style_weight"]}, "--style-weight is what the experiment sets"),
        ({"paper": find("init"), "vary": ["seed=1,2"]}, "seed is given twice to vary"),
        ({"vary": ["optimizer=adam,lbgfs"]}, "unknown optimizer 'lbgfs'"),
        ({"vary": ["content-layers=relu4_2;relu9_9"]}, "relu9_9"),
        ({"vary": ["seed=1,2"], "max_pixels": 0}, "--max-pixels must be 1 or more"),
    ],
)
def test_mistakes_are_found_before_anything_is_painted(ask, tmp_path, changes, words):
    with pytest.raises(UserError) as caught:
        ask(**changes)
    errors = caught.value.errors if isinstance(caught.value, Mistakes) else [caught.value]
    assert any(words in error.message for error in errors), errors
    assert not (tmp_path / "out").exists()


def test_another_page_is_not_written_over(ask, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "index.html").write_text("<p>mine</p>")
    with pytest.raises(UserError, match="is another page"):
        ask(vary=["seed=1,2"])


def test_the_report_is_data(grid):
    report = json.loads((grid.folder / "report.json").read_text("utf-8"))
    assert (report["command"], report["rows"]) == ("nst explore", [])
    assert report["varied"] == [GRID[1], GRID[3]]
    assert all(column["judgement"] is None for column in report["columns"])


def test_ctrl_c_shows_what_is_finished(ask, tmp_path, photo, monkeypatch):
    """The second of two pictures is interrupted: the first is on the sheet, and the exit code says so."""
    asked = ask(vary=["seed=1,2"])

    def interrupted(orders, jobs, watch, stopped):
        first = Path(orders[0].output)
        first.mkdir(parents=True)
        save_image(first / "picture.png", photo(48, 64))
        (first / "facts.json").write_text('{"finished": true, "failures": {}}')
        raise KeyboardInterrupt

    monkeypatch.setattr(study.scheduler, "run", interrupted)
    report = asked.run(print, print)
    assert report["exit_code"] == 130
    assert [column["status"] for column in report["columns"]] == ["finished", "not finished"]
    page = (tmp_path / "out" / "index.html").read_text("utf-8")
    assert "no picture" in page
    assert "1 of 2 finished." in page
    assert (tmp_path / "out" / "sheet.png").is_file()
