"""A series as a whole: what is painted, kept, refused and told."""

from __future__ import annotations

import csv
from dataclasses import replace
from pathlib import Path

import pytest

import nst
from nst.batches.batch import BatchRequest, Series
from nst.batches.rows import BatchRow, pairs
from nst.errors import Mistakes, UserError
from nst.images import save_image
from nst.orders import Started
from nst.recipe.recipe import Recipe

HERE = {"executor": "example-executor"}


@pytest.fixture
def batch(desk, painters, recipe):
    """`batch("photos", "paintings", "out", …)`: the results, by output."""

    def call(*words, **given):
        found = nst.batch(*words, **{"recipe": recipe, "plugins": painters, **HERE, **given})
        return {each.output: each for each in found}

    return call


def report():
    with Path("out/report.csv").open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def statuses(found):
    return {name: each.status for name, each in found.items()}


def test_every_pair_is_painted_and_reported(batch):
    found = batch("photos/*.png", "paintings/*.png", "out")
    names = ["cat--sea.png", "cat--sky.png", "dog--sea.png", "dog--sky.png"]
    assert statuses(found) == dict.fromkeys(names, "finished")
    assert all(each.seconds >= 0 and each.report["backend"] == "example-image-backend" for each in found.values())
    assert sorted(path.name for path in Path("out").iterdir()) == [*names, "index.html", "report.csv"]
    rows = report()
    assert [(row["number"], row["content"], row["style"], row["output"], row["status"]) for row in rows] == [
        ("1", "photos/cat.png", "paintings/sea.png", "cat--sea.png", "finished"),
        ("2", "photos/cat.png", "paintings/sky.png", "cat--sky.png", "finished"),
        ("3", "photos/dog.png", "paintings/sea.png", "dog--sea.png", "finished"),
        ("4", "photos/dog.png", "paintings/sky.png", "dog--sky.png", "finished"),
    ]


def test_a_picture_that_is_there_is_kept_and_one_that_is_not_is_painted(batch):
    batch("photos", "paintings", "out")
    before = Path("out/cat--sea.png").stat().st_mtime_ns
    Path("out/dog--sky.png").unlink()
    found = statuses(batch("photos", "paintings", "out"))
    assert [name for name, status in found.items() if status == "finished"] == ["dog--sky.png"]
    assert list(found.values()).count("kept") == 3
    assert Path("out/cat--sea.png").stat().st_mtime_ns == before


@pytest.mark.parametrize("change", ["content", "style", "recipe", "options", "fresh", "damage"])
def test_what_is_made_of_something_else_is_painted_again(batch, photo, recipe, change):
    batch("photos/cat.png", "paintings/sea.png", "out")
    given = {}
    if change == "content":
        save_image("photos/cat.png", photo(18, 24, seed=9))
    elif change == "style":
        save_image("paintings/sea.png", photo(18, 24, seed=9))
    elif change == "recipe":
        given["recipe"] = recipe.override(size=20)
    elif change == "options":
        given["options"] = nst.images.WriteOptions(metadata="strip")
    elif change == "fresh":
        given["fresh"] = True
    else:
        save_image("out/cat--sea.png", photo(18, 24))
    assert statuses(batch("photos/cat.png", "paintings/sea.png", "out", **given)) == {"cat--sea.png": "finished"}


def test_other_names_for_the_same_files_are_the_same(batch):
    batch("photos/cat.png", "paintings/sea.png", "out")
    found = batch("./photos/cat.png", str(Path("paintings/sea.png").resolve()), "out")
    assert statuses(found) == {"cat--sea.png": "kept"}


def test_one_that_fails_is_a_row_that_says_why(batch):
    Path("photos/a.jpg").write_bytes(b"PK\x03\x04")
    found = batch("photos/*", "paintings/sea.png", "out")
    assert statuses(found) == {"a--sea.png": "failed", "cat--sea.png": "finished", "dog--sea.png": "finished"}
    assert found["a--sea.png"].message == "photos/a.jpg is not a picture Pillow can read"
    assert found["a--sea.png"].mistake
    rows = report()
    assert rows[0]["message"] == found["a--sea.png"].message


def test_a_list_may_have_recipes_and_names_and_mistakes_of_its_own(batch):
    Path("list.csv").write_text(
        "content,style,output,size\n"
        "photos/cat.png,paintings/sea.png,small/cat.png,16\n"
        "photos/cat.png,paintings/sea.png,../cat.png,\n"
        "photos/dog.png,paintings/sky.png,,many\n"
    )
    found = batch(output="out", pairs="list.csv")
    assert [each.status for each in found.values()] == ["failed", "failed", "finished"]
    assert "leads out of the folder" in found["../cat.png"].message
    assert "--size: must be a whole number" in found["dog--sky.png"].message
    assert nst.load_image("out/small/cat.png").shape == (12, 16, 3)
    assert not Path("cat.png").exists()


def test_a_toml_file_brings_the_recipe_for_all(batch):
    Path("list.toml").write_text(
        '[recipe]\nbackend = "example-image-backend"\nsize = 8\n'
        '[[picture]]\ncontent = "photos/cat.png"\nstyle = "paintings/sea.png"\n'
    )
    batch(output="out", pairs="list.toml", recipe=None)
    assert nst.load_image("out/cat--sea.png").shape == (6, 8, 3)


def test_a_list_and_patterns_exclude_each_other(batch):
    with pytest.raises(UserError, match="--pairs says what to paint like what"):
        batch("photos", pairs="list.csv")


def test_the_mistakes_of_the_whole_are_told_together_before_anything_is_painted(desk, painters):
    recipe = Recipe(backend="example-image-backend", steps=3, color="pink")
    request = BatchRequest(pairs(["photos"], ["paintings"]), "out", recipe, "elsewhere", {"jobs": 0})
    with pytest.raises(Mistakes) as raised:
        Series(request, painters)
    told = [error.message for error in raised.value.errors]
    assert told[0].startswith("unknown color")
    assert "--steps means nothing to 'example-image-backend', which stylizes in one pass" in told
    assert "unknown executor 'elsewhere'" in told
    assert not Path("out").exists()


def test_an_option_that_an_executor_does_not_take_is_refused(desk, painters, recipe):
    request = BatchRequest(pairs(["photos"], ["paintings"]), "out", recipe, "local", {"jobs": 0, "address": "auto"})
    with pytest.raises(Mistakes, match=r"unknown option of local: 'address'; jobs must be 1 or more, not 0"):
        Series(request, painters)


def test_a_page_of_somebody_else_is_not_written_over(batch):
    Path("out").mkdir()
    Path("out/index.html").write_text("mine")
    with pytest.raises(UserError, match="is another page"):
        batch("photos", "paintings", "out")


def test_whatever_ends_it_the_report_tells_how_far_it_came(desk, painters, recipe):
    request = BatchRequest(pairs(["photos"], ["paintings"]), "out", recipe, "example-executor")
    painted = Series(request, painters).run()
    first = next(painted)
    painted.close()
    assert [row["output"] for row in report()] == [first.output]
    assert "1 of 4 pictures: 1 finished" in Path("out/index.html").read_text()


def test_what_one_backend_paints_is_painted_together(desk, painters, recipe):
    """Each change of the network would load it anew."""
    rows = [
        replace(row, recipe={"device": device})
        for row, device in zip(pairs(["photos"], ["paintings"]), ("cpu", "auto", "cpu", "auto"), strict=True)
    ]
    heard = []
    series = Series(BatchRequest(rows, "out", recipe, "example-executor"), painters)
    list(series.run(lambda row, event: heard.append((row.recipe["device"], isinstance(event, Started)))))
    assert heard == [("auto", True)] * 2 + [("cpu", True)] * 2


def test_a_folder_that_cannot_be_made_is_told(batch):
    Path("file").touch()
    with pytest.raises(UserError, match="file"):
        batch("photos", "paintings", "file/out")


def test_a_row_without_a_picture_needs_no_painter(desk, painters, recipe):
    rows = [BatchRow(1, "", [], error=UserError("nothing", "to do"))]
    (found,) = Series(BatchRequest(rows, "out", recipe, "example-executor"), painters).run()
    assert (found.status, found.message, found.hint) == ("failed", "nothing", "to do")
